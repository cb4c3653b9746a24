/**
 * ICMP errors about connections of ct(): they belong to the connection that they quote a packet of, and are
 * related to it (ovs-fields(7), ct_state). RFC 5508 §4.2 on what NAT makes of them.
 */
import {
  ETH_IPV4,
  ETH_IPV6,
  FLAG_FRAG,
  W_IPV6_DST,
  W_IPV6_SRC,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
} from '../../protocols/flow-key.ts'
import { pseudoHeader6, verify } from '../../protocols/wire/checksum.ts'
import * as icmpv4 from '../../protocols/wire/icmpv4.ts'
import * as icmpv6 from '../../protocols/wire/icmpv6.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as ipv6 from '../../protocols/wire/ipv6.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import { readQuoted, rewriteQuoted } from './quoted-packet.ts'
import { isIcmpError, PROTO_ICMP, PROTO_ICMPV6, reverseTp } from './tuple.ts'
import type { ZoneTracker } from './zone-tracker.ts'

/** ICMPv6 errors have the types below this one that are not 0 (RFC 4443 §2.1); informational ones begin at 128. */
const LAST_ERROR6 = 4

/** Whether the packet is an ICMP error. All that tells so has been looked at. */
export function isError(x: Xlate): boolean {
  const { flow } = x
  x.look(W_TYPE, 0xffff0000 | FLAG_FRAG)
  const type = flow[W_TYPE] >>> 16
  if ((type !== ETH_IPV4 && type !== ETH_IPV6) || (flow[W_TYPE] & FLAG_FRAG) !== 0) return false
  x.look(W_NW, 0xff000000)
  if (flow[W_NW] >>> 24 !== (type === ETH_IPV4 ? PROTO_ICMP : PROTO_ICMPV6)) return false
  x.look(W_TP, 0xffff0000)
  const message = flow[W_TP] >>> 16
  return type === ETH_IPV4 ? isIcmpError(message) : message >= 1 && message <= LAST_ERROR6
}

/**
 * The entry (connection * 2 + direction) that an error belongs to; -1 when it is about no connection of the
 * zone, or damaged.
 */
export function relatedEntry(zones: ZoneTracker, zone: number, pool: PacketPool, h: number): number {
  const b = pool.u8
  const icmp = pool.l4[h]
  if (icmp === 0) return -1
  const version6 = b[pool.l3[h]] >>> 4 === 6
  const end = endOf(pool, h)
  if (!verify(b, icmp, end - icmp, pseudo(pool, h))) return -1
  const inner = icmp + icmpv4.DATA
  if (inner + ipv4.HEADER_LEN > end || b[inner] >>> 4 !== (version6 ? 6 : 4)) return -1
  const quoted = readQuoted(b, inner, end)
  if (quoted === undefined) return -1
  const { proto, tp } = quoted
  const flow = new Uint32Array(W_IPV6_DST + 4)
  if (version6) {
    for (let i = 0; i < 4; i++) {
      flow[W_IPV6_SRC + i] = ipv6.dstWord(b, inner, i)
      flow[W_IPV6_DST + i] = ipv6.srcWord(b, inner, i)
    }
  } else {
    flow[W_NW_SRC] = ipv4.dst(b, inner)
    flow[W_NW_DST] = ipv4.src(b, inner)
  }
  return zones.lookup(zone, { ipv6: version6, proto, tp: reverseTp(proto, tp) }, flow)
}

/** Translates the packet that an error of an entry's direction quotes, to what its sender knows it as. */
export function translateQuoted(zones: ZoneTracker, entry: number, pool: PacketPool, h: number): void {
  const b = pool.u8
  const icmp = pool.l4[h]
  const end = endOf(pool, h)
  const inner = icmp + icmpv4.DATA
  const quoted = readQuoted(b, inner, end)
  if (quoted === undefined) return
  rewriteQuoted(b, inner, end, quoted, zones.addresses(entry ^ 1), zones.conntrack.tp(entry ^ 1))
  if (b[pool.l3[h]] >>> 4 === 6) icmpv6.fillChecksum(b, icmp, end, pseudo(pool, h))
  else icmpv4.fillChecksum(b, icmp, end)
}

function endOf(pool: PacketPool, h: number): number {
  const l3 = pool.l3[h]
  return pool.u8[l3] >>> 4 === 6 ? ipv6.end(pool.u8, l3) : ipv4.end(pool.u8, l3)
}

function pseudo(pool: PacketPool, h: number): number {
  const l3 = pool.l3[h]
  if (pool.u8[l3] >>> 4 !== 6) return 0
  return pseudoHeader6(pool.u8, l3 + ipv6.SRC, PROTO_ICMPV6, endOf(pool, h) - pool.l4[h])
}
