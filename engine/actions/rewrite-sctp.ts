/** SCTP ports. Its checksum is a CRC-32c of the whole packet (RFC 9260 §6.8), which changes are worked into. */
import { type PacketPool, VNET_NEEDS_CSUM } from '../memory/packet-pool.ts'
import { crc32c } from '../netdev/checksum-offload.ts'

const CHECKSUM = 8

/** A checksum that was wrong stays wrong. */
export function setSctpPort(pool: PacketPool, h: number, field: number, to: number): void {
  const l4 = pool.l4[h]
  const { dv, u8 } = pool
  if (l4 === 0) return
  if ((pool.vnetFlags[h] & VNET_NEEDS_CSUM) !== 0) {
    dv.setUint16(l4 + field, to)
    return
  }
  const l3 = pool.l3[h]
  const end = u8[l3] >>> 4 === 4 ? l3 + dv.getUint16(l3 + 2) : l3 + 40 + dv.getUint16(l3 + 4)
  const before = crc32c(u8, l4, end - l4, CHECKSUM)
  dv.setUint16(l4 + field, to)
  const difference = before ^ crc32c(u8, l4, end - l4, CHECKSUM)
  dv.setUint32(l4 + CHECKSUM, dv.getUint32(l4 + CHECKSUM, true) ^ difference, true)
}
