/**
 * Changes to a packet in place, checksums included. A full checksum is updated incrementally (RFC 1624). A
 * partial one (VNET_NEEDS_CSUM) holds the folded pseudo-header sum, not its complement: a changed address is
 * added to it, a changed port leaves it alone, for whoever finishes it will sum the port itself.
 */
import { replaceInSum32, update16, update32 } from '../../protocols/wire/checksum.ts'
import { type PacketPool, VNET_NEEDS_CSUM } from '../memory/packet-pool.ts'
import { setSctpPort } from './rewrite-sctp.ts'
import { PROTO_SCTP, transportProtocol } from './transport.ts'

const PROTO_TCP = 6
const PROTO_UDP = 17

/** Index of the transport checksum, or 0 when there is none to keep. */
function checksumIndex(l4: number, proto: number): number {
  if (l4 === 0) return 0
  if (proto === PROTO_TCP) return l4 + 16
  if (proto === PROTO_UDP) return l4 + 6
  return 0
}

function rewriteAddress(pool: PacketPool, h: number, field: number, to: number): void {
  const dv = pool.dv
  const l3 = pool.l3[h]
  const from = dv.getInt32(l3 + field)
  dv.setInt32(l3 + field, to)
  dv.setUint16(l3 + 10, update32(dv.getUint16(l3 + 10), from, to))
  const proto = pool.u8[l3 + 9]
  const at = checksumIndex(pool.l4[h], proto)
  if (at === 0) return
  const checksum = dv.getUint16(at)
  if ((pool.vnetFlags[h] & VNET_NEEDS_CSUM) !== 0) {
    dv.setUint16(at, replaceInSum32(checksum, from, to))
    return
  }
  const udp = proto === PROTO_UDP
  if (udp && checksum === 0) return
  const sum = update32(checksum, from, to)
  dv.setUint16(at, udp && sum === 0 ? 0xffff : sum)
}

function rewritePort(pool: PacketPool, h: number, field: number, to: number): void {
  const dv = pool.dv
  const proto = transportProtocol(pool, h)
  if (proto === PROTO_SCTP) {
    setSctpPort(pool, h, field, to)
    return
  }
  const l4 = pool.l4[h]
  const at = checksumIndex(l4, proto)
  if (at === 0) return
  const from = dv.getUint16(l4 + field)
  dv.setUint16(l4 + field, to)
  if ((pool.vnetFlags[h] & VNET_NEEDS_CSUM) !== 0) return
  const checksum = dv.getUint16(at)
  const udp = proto === PROTO_UDP
  if (udp && checksum === 0) return
  const sum = update16(checksum, from, to)
  dv.setUint16(at, udp && sum === 0 ? 0xffff : sum)
}

export function setNwSrc(pool: PacketPool, h: number, address: number): void {
  rewriteAddress(pool, h, 12, address)
}

export function setNwDst(pool: PacketPool, h: number, address: number): void {
  rewriteAddress(pool, h, 16, address)
}

export function setTpSrc(pool: PacketPool, h: number, port: number): void {
  rewritePort(pool, h, 0, port)
}

export function setTpDst(pool: PacketPool, h: number, port: number): void {
  rewritePort(pool, h, 2, port)
}

/** Identifier of an ICMP query or reply. */
export function setIcmpId(pool: PacketPool, h: number, id: number): void {
  const l4 = pool.l4[h]
  if (l4 === 0) return
  const dv = pool.dv
  const from = dv.getUint16(l4 + 4)
  dv.setUint16(l4 + 4, id)
  dv.setUint16(l4 + 2, update16(dv.getUint16(l4 + 2), from, id))
}

export function setNwTos(pool: PacketPool, h: number, tos: number): void {
  const dv = pool.dv
  const l3 = pool.l3[h]
  const from = dv.getUint16(l3)
  const to = (from & 0xff00) | tos
  dv.setUint16(l3, to)
  dv.setUint16(l3 + 10, update16(dv.getUint16(l3 + 10), from, to))
}

/** TTL of IPv4, hop limit of IPv6. */
export function setNwTtl(pool: PacketPool, h: number, ttl: number): void {
  const dv = pool.dv
  const l3 = pool.l3[h]
  if (pool.u8[l3] >>> 4 === 6) {
    pool.u8[l3 + 7] = ttl
    return
  }
  const from = dv.getUint16(l3 + 8)
  const to = (from & 0x00ff) | (ttl << 8)
  dv.setUint16(l3 + 8, to)
  dv.setUint16(l3 + 10, update16(dv.getUint16(l3 + 10), from, to))
}

/** Type and code of an ICMP or ICMPv6 message. */
export function setIcmp(pool: PacketPool, h: number, typeAndCode: number): void {
  const l4 = pool.l4[h]
  if (l4 === 0) return
  const dv = pool.dv
  const from = dv.getUint16(l4)
  dv.setUint16(l4, typeAndCode)
  if ((pool.vnetFlags[h] & VNET_NEEDS_CSUM) === 0) {
    dv.setUint16(l4 + 2, update16(dv.getUint16(l4 + 2), from, typeAndCode))
  }
}

export function decTtl(pool: PacketPool, h: number): void {
  const dv = pool.dv
  const l3 = pool.l3[h]
  const from = dv.getUint16(l3 + 8)
  dv.setUint16(l3 + 8, from - 0x0100)
  dv.setUint16(l3 + 10, update16(dv.getUint16(l3 + 10), from, from - 0x0100))
}

/** Whether the IPv4 header checksum is right; only called for headers that extract found whole. */
export function ipChecksumIsRight(pool: PacketPool, h: number): boolean {
  const dv = pool.dv
  const l3 = pool.l3[h]
  const end = l3 + ((pool.u8[l3] & 0x0f) << 2)
  let sum = 0
  for (let i = l3; i < end; i += 4) sum += dv.getUint16(i) + dv.getUint16(i + 2)
  sum = (sum & 0xffff) + (sum >>> 16)
  sum = (sum & 0xffff) + (sum >>> 16)
  return sum === 0xffff
}

/** Both Ethernet addresses, as the words W_DL_DST, W_DL_MIX, W_DL_SRC. */
export function setEth(pool: PacketPool, h: number, w2: number, w3: number, w4: number): void {
  const off = pool.off[h]
  pool.dv.setInt32(off, w2)
  pool.dv.setInt32(off + 4, w3)
  pool.dv.setInt32(off + 8, w4)
}

/** The destination alone, as the words W_DL_DST and W_DL_MIX. */
export function setEthDst(pool: PacketPool, h: number, w2: number, w3: number): void {
  const off = pool.off[h]
  pool.dv.setInt32(off, w2)
  pool.dv.setUint16(off + 4, w3 >>> 16)
}

/** The source alone, as the words W_DL_MIX and W_DL_SRC. */
export function setEthSrc(pool: PacketPool, h: number, w3: number, w4: number): void {
  const off = pool.off[h]
  pool.dv.setUint16(off + 6, w3 & 0xffff)
  pool.dv.setInt32(off + 8, w4)
}

/** Pushes a tag in front of whatever stands behind the addresses (IEEE 802.1Q-2018 §9.6). */
export function pushVlan(pool: PacketPool, h: number, tpid: number, tci: number): void {
  const off = pool.off[h] - 4
  const dv = pool.dv
  dv.setInt32(off, dv.getInt32(off + 4))
  dv.setInt32(off + 4, dv.getInt32(off + 8))
  dv.setInt32(off + 8, dv.getInt32(off + 12))
  dv.setUint16(off + 12, tpid)
  dv.setUint16(off + 14, tci)
  pool.off[h] = off
  pool.len[h] = pool.len[h] + 4
  if ((pool.vnetFlags[h] & VNET_NEEDS_CSUM) !== 0) pool.csumStart[h] = pool.csumStart[h] + 4
}

/** Takes the outer tag away; the frame is known to have one. */
export function popVlan(pool: PacketPool, h: number): void {
  const off = pool.off[h]
  const dv = pool.dv
  dv.setInt32(off + 12, dv.getInt32(off + 8))
  dv.setInt32(off + 8, dv.getInt32(off + 4))
  dv.setInt32(off + 4, dv.getInt32(off))
  pool.off[h] = off + 4
  pool.len[h] = pool.len[h] - 4
  if ((pool.vnetFlags[h] & VNET_NEEDS_CSUM) !== 0) pool.csumStart[h] = pool.csumStart[h] - 4
}

export function setVlan(pool: PacketPool, h: number, tci: number): void {
  pool.dv.setUint16(pool.off[h] + 14, tci)
}
