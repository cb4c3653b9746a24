/** The packet that an ICMP or ICMPv6 error is about, of which it quotes the beginning. */
import { put16, put32, u16, u32 } from '../../protocols/wire/big-endian.ts'
import { update16, update32 } from '../../protocols/wire/checksum.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as ipv6 from '../../protocols/wire/ipv6.ts'
import {
  destinationOf,
  isIcmpQuery,
  isIcmpReply,
  PROTO_ICMP,
  PROTO_ICMPV6,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
  sourceOf,
} from './tuple.ts'

/** ICMPv6 echo, which counts as that of ICMP. */
const ECHO_REQUEST6 = 128
const ECHO_REPLY6 = 129
/** Bytes of the transport header that every error quotes. */
const QUOTED_TRANSPORT = 8

export interface Quoted {
  /** ICMPv6 counts as ICMP. */
  readonly proto: number
  /** See tuple.ts. */
  readonly tp: number
  /** Index of the transport header. */
  readonly l4: number
}

/** @returns undefined for what is no beginning of a packet that can be tracked */
export function readQuoted(b: Uint8Array, ip: number, end: number): Quoted | undefined {
  const version6 = b[ip] >>> 4 === 6
  const header = version6 ? ipv6.HEADER_LEN : (b[ip] & 15) << 2
  const l4 = ip + header
  if (header < ipv4.HEADER_LEN || l4 + QUOTED_TRANSPORT > end) return undefined
  if (!version6 && ipv4.fragmentOffset(b, ip) !== 0) return undefined
  const wire = version6 ? ipv6.nextHeader(b, ip) : ipv4.protocol(b, ip)
  if (wire === PROTO_TCP || wire === PROTO_UDP || wire === PROTO_SCTP)
    return { proto: wire, tp: u32(b, l4), l4 }
  if (wire !== (version6 ? PROTO_ICMPV6 : PROTO_ICMP)) return undefined
  let type = b[l4]
  if (version6) {
    if (type !== ECHO_REQUEST6 && type !== ECHO_REPLY6) return undefined
    type = type === ECHO_REQUEST6 ? 8 : 0
  } else if (!isIcmpQuery(type) && !isIcmpReply(type)) return undefined
  return { proto: PROTO_ICMP, tp: u16(b, l4 + 4) * 0x1_0000 + type, l4 }
}

/**
 * Gives the quoted packet other addresses and ports, its own checksums included as far as they are quoted. The
 * error's checksum is the caller's to renew.
 * @param addresses four words each of source and destination, of IPv4 the first
 */
export function rewriteQuoted(
  b: Uint8Array,
  ip: number,
  end: number,
  { proto, l4 }: Quoted,
  addresses: Uint32Array,
  tp: number,
): void {
  const version6 = b[ip] >>> 4 === 6
  const at = checksumAt(l4, proto)
  const held = at !== 0 && at + 2 <= end && !(proto === PROTO_UDP && u16(b, at) === 0)
  let sum = held ? u16(b, at) : 0
  // ICMP's checksum, unlike all others, leaves addresses out.
  const counts = version6 || proto !== PROTO_ICMP
  const words = version6 ? 4 : 1
  const from = ip + (version6 ? ipv6.SRC : ipv4.SRC)
  for (let side = 0; side < 2; side++) {
    for (let i = 0; i < words; i++) {
      const field = from + (side * words + i) * 4
      const to = addresses[side * 4 + i]
      if (counts) sum = update32(sum, u32(b, field), to)
      if (!version6) put16(b, ip + ipv4.CHECKSUM, update32(u16(b, ip + ipv4.CHECKSUM), u32(b, field), to))
      put32(b, field, to)
    }
  }
  if (proto === PROTO_ICMP) {
    sum = update16(sum, u16(b, l4 + 4), sourceOf(tp))
    put16(b, l4 + 4, sourceOf(tp))
  } else {
    sum = update16(sum, u16(b, l4), sourceOf(tp))
    sum = update16(sum, u16(b, l4 + 2), destinationOf(proto, tp))
    put32(b, l4, tp)
  }
  if (!held) return
  put16(b, at, proto === PROTO_UDP && sum === 0 ? 0xffff : sum)
}

/** Where the checksum stands, or 0 for what has none that addresses and ports enter. */
function checksumAt(l4: number, proto: number): number {
  if (proto === PROTO_TCP) return l4 + 16
  if (proto === PROTO_UDP) return l4 + 6
  return proto === PROTO_ICMP ? l4 + 2 : 0
}
