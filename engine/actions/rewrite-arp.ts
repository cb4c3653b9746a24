/** Changes to ARP packets in place (RFC 826). */
import type { PacketPool } from '../memory/packet-pool.ts'

export function setArp(pool: PacketPool, h: number, operation: number, sender: number, target: number): void {
  const { dv } = pool
  const p = pool.l3[h]
  dv.setUint16(p + 6, operation)
  dv.setInt32(p + 14, sender)
  dv.setInt32(p + 24, target)
}

/** Hardware addresses of sender and target, as the words W_ARP_SHA, W_ARP_MIX, W_ARP_THA. */
export function setArpHardware(pool: PacketPool, h: number, w0: number, w1: number, w2: number): void {
  const { dv } = pool
  const p = pool.l3[h]
  dv.setInt32(p + 8, w0)
  dv.setUint16(p + 12, w1 >>> 16)
  dv.setUint16(p + 18, w1 & 0xffff)
  dv.setInt32(p + 20, w2)
}
