/**
 * ICMP errors about translated connections: RFC 5508 §4.2 (REQ-3 to REQ-7), RFC 4787 REQ-12, RFC 5382 REQ-9.
 *
 * An error quotes the packet it is about as that packet was where the error arose, which is after this
 * router translated it. Turned round, the quoted tuple is one of the connection's two; the other one is what
 * the sender of the quoted packet knows. The quotation is put back to that, the error goes to that sender,
 * and if it comes from behind an address the sender knows only by its translation, it seems to come from the
 * translation. Type and code stay. The connection is neither refreshed nor ended.
 */

import { put16, put32, u16 } from '../../protocols/wire/big-endian.ts'
import { update16, update32 } from '../../protocols/wire/checksum.ts'
import * as icmpv4 from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import type { Conntrack } from './conntrack.ts'
import {
  destinationOf,
  isIcmpQuery,
  isIcmpReply,
  PROTO_ICMP,
  PROTO_TCP,
  PROTO_UDP,
  reverseTp,
  sourceOf,
} from './tuple.ts'

export const ERROR_TRANSLATED = 0
/** Damaged: a checksum is wrong (REQ-3). */
export const ERROR_BAD = 1
/** It is about no connection of ours. */
export const ERROR_UNRELATED = 2

/** Translates the ICMP error in packet `h`, an untagged Ethernet frame, in place. */
export function translateIcmpError(conntrack: Conntrack, zone: number, pool: PacketPool, h: number): number {
  const b = pool.u8
  const ip = pool.off[h] + 14
  const frameEnd = pool.off[h] + pool.len[h]
  if (!ipv4.check(b, ip, frameEnd)) return ERROR_BAD
  const end = ipv4.end(b, ip)
  const icmp = ipv4.payload(b, ip)
  if (!icmpv4.check(b, icmp, end) || !icmpv4.verifyChecksum(b, icmp, end)) return ERROR_BAD
  if (!icmpv4.checkQuoted(b, icmp, end)) return ERROR_UNRELATED
  const inner = icmp + icmpv4.DATA
  if (!ipv4.verifyChecksum(b, inner)) return ERROR_BAD
  if (ipv4.fragmentOffset(b, inner) !== 0) return ERROR_UNRELATED
  const proto = ipv4.protocol(b, inner)
  const l4 = ipv4.payload(b, inner)
  const tp = quotedTp(b, l4, proto)
  if (tp < 0) return ERROR_UNRELATED

  const entry = conntrack.lookup(zone, proto, ipv4.dst(b, inner), ipv4.src(b, inner), reverseTp(proto, tp))
  if (entry < 0) return ERROR_UNRELATED
  const known = entry ^ 1
  const source = conntrack.src(known)
  const destination = conntrack.dst(known)
  const translated = destination !== conntrack.src(entry)

  rewriteQuoted(b, inner, l4, end, proto, source, destination, conntrack.tp(known))
  if (translated) ipv4.rewriteSrc(b, ip, destination)
  ipv4.rewriteDst(b, ip, source)
  icmpv4.fillChecksum(b, icmp, end)
  return ERROR_TRANSLATED
}

/** The transport word of the quoted packet, or -1 for what is not tracked. Eight bytes are there. */
function quotedTp(b: Uint8Array, l4: number, proto: number): number {
  if (proto === PROTO_TCP || proto === PROTO_UDP) return u16(b, l4) * 0x1_0000 + u16(b, l4 + 2)
  if (proto !== PROTO_ICMP) return -1
  const type = b[l4]
  if (!isIcmpQuery(type) && !isIcmpReply(type)) return -1
  return u16(b, l4 + 4) * 0x1_0000 + type
}

function rewriteQuoted(
  b: Uint8Array,
  ip: number,
  l4: number,
  end: number,
  proto: number,
  src: number,
  dst: number,
  tp: number,
): void {
  const at = checksumAt(l4, proto)
  const held = at + 2 <= end && !(proto === PROTO_UDP && u16(b, at) === 0)
  let sum = held ? u16(b, at) : 0
  if (proto === PROTO_ICMP) {
    sum = update16(sum, u16(b, l4 + 4), sourceOf(tp))
    put16(b, l4 + 4, sourceOf(tp))
  } else {
    sum = update32(sum, ipv4.src(b, ip), src)
    sum = update32(sum, ipv4.dst(b, ip), dst)
    sum = update16(sum, u16(b, l4), sourceOf(tp))
    sum = update16(sum, u16(b, l4 + 2), destinationOf(proto, tp))
    put32(b, l4, tp)
    if (proto === PROTO_UDP && sum === 0) sum = 0xffff
  }
  if (held) put16(b, at, sum)
  ipv4.rewriteSrc(b, ip, src)
  ipv4.rewriteDst(b, ip, dst)
}

function checksumAt(l4: number, proto: number): number {
  return l4 + (proto === PROTO_TCP ? 16 : proto === PROTO_UDP ? 6 : 2)
}
