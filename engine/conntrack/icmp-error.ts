/**
 * ICMP errors about translated connections: RFC 5508 §4.2 (REQ-3 to REQ-7), RFC 4787 REQ-12, RFC 5382 REQ-9.
 *
 * An error quotes the packet it is about as that packet was where the error arose, which is after this
 * router translated it. Turned round, the quoted tuple is one of the connection's two; the other one is what
 * the sender of the quoted packet knows. The quotation is put back to that, the error goes to that sender,
 * and if it comes from behind an address the sender knows only by its translation, it seems to come from the
 * translation. Type and code stay. The connection is neither refreshed nor ended.
 */

import * as icmpv4 from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import type { Conntrack } from './conntrack.ts'
import { readQuoted, rewriteQuoted } from './quoted-packet.ts'
import { reverseTp } from './tuple.ts'

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
  const quoted = readQuoted(b, inner, end)
  if (quoted === undefined) return ERROR_UNRELATED
  const { proto, tp } = quoted

  const entry = conntrack.lookup(zone, proto, ipv4.dst(b, inner), ipv4.src(b, inner), reverseTp(proto, tp))
  if (entry < 0) return ERROR_UNRELATED
  const known = entry ^ 1
  const source = conntrack.src(known)
  const destination = conntrack.dst(known)
  const translated = destination !== conntrack.src(entry)

  rewriteQuoted(
    b,
    inner,
    end,
    quoted,
    Uint32Array.of(source, 0, 0, 0, destination, 0, 0, 0),
    conntrack.tp(known),
  )
  if (translated) ipv4.rewriteSrc(b, ip, destination)
  ipv4.rewriteDst(b, ip, source)
  icmpv4.fillChecksum(b, icmp, end)
  return ERROR_TRANSLATED
}
