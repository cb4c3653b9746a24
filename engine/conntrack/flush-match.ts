/**
 * Which connections `ovs-ofctl ct-flush` means (NXT_CT_FLUSH). Addresses and ports that are zero are not
 * compared, nor are the numbers of ICMP when all of a tuple's are zero: clients send those unasked.
 */
import type { CtFlush, CtTuple } from '../../protocols/openflow/ct-flush.ts'
import { PROTO_ICMP, PROTO_ICMPV6 } from './tuple.ts'
import type { ZoneTracker } from './zone-tracker.ts'

export function flushMatches(zones: ZoneTracker, connection: number, match: CtFlush): boolean {
  const { conntrack } = zones
  const ipv6 = zones.isIpv6(connection)
  const own = conntrack.proto(connection)
  const proto = ipv6 && own === PROTO_ICMP ? PROTO_ICMPV6 : own
  if (match.family !== 0 && (match.family === 10) !== ipv6) return false
  if (match.ipProto !== 0 && match.ipProto !== proto) return false
  return [match.original, match.reply].every((tuple, direction) => {
    const entry = (connection << 1) | direction
    const addresses = zones.addresses(entry)
    if (!fits(tuple.src, addresses, 0) || !fits(tuple.dst, addresses, 4)) return false
    const tp = conntrack.tp(entry)
    return own === PROTO_ICMP ? sameIcmp(tuple, tp, ipv6) : samePorts(tuple, tp)
  })
}

function samePorts({ srcPort, dstPort }: CtTuple, tp: number): boolean {
  return (!srcPort || srcPort === tp >>> 16) && (!dstPort || dstPort === (tp & 0xffff))
}

function sameIcmp({ icmpId, icmpType, icmpCode }: CtTuple, tp: number, ipv6: boolean): boolean {
  const type = tp & 0xff
  const onWire = ipv6 ? (type === 8 ? 128 : 129) : type
  if (!icmpId && !icmpType && !icmpCode) return true
  return (icmpId ?? 0) === tp >>> 16 && (icmpType ?? 0) === onWire && !icmpCode
}

function fits(wanted: Uint8Array | undefined, words: Uint32Array, at: number): boolean {
  if (wanted === undefined || wanted.every((byte) => byte === 0)) return true
  return wanted.every((byte, i) => byte === ((words[at + (i >>> 2)] >>> (24 - 8 * (i & 3))) & 0xff))
}
