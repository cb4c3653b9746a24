import type { PacketPool } from '../memory/packet-pool.ts'

export const PROTO_TCP = 6
export const PROTO_UDP = 17
export const PROTO_ICMPV6 = 58
export const PROTO_SCTP = 132

const ROUTING = 43
const FRAGMENT = 44
const AUTHENTICATION = 51

/** Set beside the protocol: a routing header says that the destination address is not the last one. */
export const ROUTED = 0x100

/**
 * Which protocol stands at the packet's `l4`, found from its IP header; of IPv6 the extension headers in
 * between are walked, as `extract` has walked them.
 */
export function transportProtocol(pool: PacketPool, h: number): number {
  const l3 = pool.l3[h]
  if (pool.u8[l3] >>> 4 === 4) return pool.u8[l3 + 9]
  return ipv6Transport(pool, h) & 0xff
}

/** Of an IPv6 packet: the protocol, and ROUTED. */
export function ipv6Transport(pool: PacketPool, h: number): number {
  const { u8 } = pool
  const l4 = pool.l4[h]
  let proto = u8[pool.l3[h] + 6]
  let routed = 0
  for (let p = pool.l3[h] + 40; p < l4; ) {
    const next = u8[p]
    if (proto === ROUTING && u8[p + 3] > 0) routed = ROUTED
    if (proto === FRAGMENT) p += 8
    else p += proto === AUTHENTICATION ? (u8[p + 1] + 2) << 2 : (u8[p + 1] + 1) << 3
    proto = next
  }
  return proto | routed
}
