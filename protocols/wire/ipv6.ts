/** IPv6: RFC 8200. An address is 16 bytes in place; a record holds copies. */

import { put16, put32, u16, u32 } from './big-endian.ts'

export const VERSION_CLASS_LABEL = 0
export const PAYLOAD_LENGTH = 4
export const NEXT_HEADER = 6
export const HOP_LIMIT = 7
export const SRC = 8
export const DST = 24
export const HEADER_LEN = 40
export const ADDRESS_LEN = 16

/** Extension headers that are walked: RFC 8200 §4, RFC 4302. ESP hides what follows and so ends the walk. */
export const HOP_BY_HOP = 0
export const ROUTING = 43
export const FRAGMENT = 44
export const AUTHENTICATION = 51
export const NO_NEXT_HEADER = 59
export const DESTINATION_OPTIONS = 60

export const PROTO_ICMPV6 = 58

/** Extension headers walked in one datagram. RFC 8200 §4.1 recommends an order with at most seven. */
export const MAX_EXTENSIONS = 8

const FRAGMENT_LEN = 8

/** Whether a whole datagram fits. Padding may follow; jumbograms (RFC 2675) have no place on Ethernet. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  return end - o >= HEADER_LEN && b[o] >>> 4 === 6 && u16(b, o + PAYLOAD_LENGTH) + HEADER_LEN <= end - o
}

/** Whether a fixed header fits, without asking for the payload: for what an ICMPv6 error quotes. */
export function checkHeader(b: Uint8Array, o: number, end: number): boolean {
  return end - o >= HEADER_LEN && b[o] >>> 4 === 6
}

/** DSCP in the upper six bits, ECN in the lower two. */
export function trafficClass(b: Uint8Array, o: number): number {
  return (u16(b, o) >>> 4) & 0xff
}

export function flowLabel(b: Uint8Array, o: number): number {
  return u32(b, o) & 0xf_ffff
}

/** Bytes behind the fixed header. */
export function payloadLength(b: Uint8Array, o: number): number {
  return u16(b, o + PAYLOAD_LENGTH)
}

/** Where the datagram ends, absolute and exclusive. */
export function end(b: Uint8Array, o: number): number {
  return o + HEADER_LEN + u16(b, o + PAYLOAD_LENGTH)
}

export function nextHeader(b: Uint8Array, o: number): number {
  return b[o + NEXT_HEADER]
}

export function hopLimit(b: Uint8Array, o: number): number {
  return b[o + HOP_LIMIT]
}

/** One of the four 32-bit words of the source, the first being 0. */
export function srcWord(b: Uint8Array, o: number, i: number): number {
  return u32(b, o + SRC + 4 * i)
}

/** One of the four 32-bit words of the destination, the first being 0. */
export function dstWord(b: Uint8Array, o: number, i: number): number {
  return u32(b, o + DST + 4 * i)
}

export function setHopLimit(b: Uint8Array, o: number, v: number): void {
  b[o + HOP_LIMIT] = v
}

/** What stands behind the extension headers. */
export interface Upper {
  /** Protocol of the header at `l4`, or NO_NEXT_HEADER; of a later fragment, what its fragment header names. */
  protocol: number
  /** Absolute offset of the upper-layer header (of a later fragment: of its piece of the payload). */
  l4: number
  /** Whether there is a fragment header. */
  fragment: boolean
  /** Position of this fragment's payload in the whole, in bytes. */
  fragmentOffset: number
  moreFragments: boolean
  identification: number
}

export function makeUpper(): Upper {
  return {
    protocol: NO_NEXT_HEADER,
    l4: 0,
    fragment: false,
    fragmentOffset: 0,
    moreFragments: false,
    identification: 0,
  }
}

/**
 * Walks the extension headers of a datagram whose fixed header fits.
 * @param end of the datagram, or of what is there of it
 * @param out filled in; nothing is allocated
 * @returns false when a header is cut short or there are more than MAX_EXTENSIONS: then `out` means nothing
 */
export function walk(b: Uint8Array, o: number, end: number, out: Upper): boolean {
  let next = b[o + NEXT_HEADER]
  let at = o + HEADER_LEN
  out.fragment = false
  out.fragmentOffset = 0
  out.moreFragments = false
  out.identification = 0
  for (let n = 0; n <= MAX_EXTENSIONS; n++) {
    let len: number
    switch (next) {
      case HOP_BY_HOP:
      case ROUTING:
      case DESTINATION_OPTIONS:
        if (end - at < 8) return false
        len = (b[at + 1] + 1) << 3
        break
      case AUTHENTICATION:
        // RFC 4302 §2.2 counts in 32-bit words, minus two.
        if (end - at < 8) return false
        len = (b[at + 1] + 2) << 2
        break
      case FRAGMENT: {
        if (end - at < FRAGMENT_LEN) return false
        const field = u16(b, at + 2)
        out.fragment = true
        out.fragmentOffset = field & 0xfff8
        out.moreFragments = (field & 1) !== 0
        out.identification = u32(b, at + 4)
        if (out.fragmentOffset !== 0) {
          out.protocol = b[at]
          out.l4 = at + FRAGMENT_LEN
          return true
        }
        len = FRAGMENT_LEN
        break
      }
      default:
        out.protocol = next
        out.l4 = at
        return true
    }
    if (len > end - at) return false
    next = b[at]
    at += len
  }
  return false
}

export interface Repr {
  src: Uint8Array
  dst: Uint8Array
  nextHeader: number
  hopLimit: number
  /** Bytes behind the fixed header. */
  payloadLength: number
  trafficClass: number
  flowLabel: number
}

export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  return {
    src: b.slice(o + SRC, o + SRC + ADDRESS_LEN),
    dst: b.slice(o + DST, o + DST + ADDRESS_LEN),
    nextHeader: nextHeader(b, o),
    hopLimit: hopLimit(b, o),
    payloadLength: payloadLength(b, o),
    trafficClass: trafficClass(b, o),
    flowLabel: flowLabel(b, o),
  }
}

/** Writes the fixed header and returns its length. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  put32(b, o, (6 << 28) | (r.trafficClass << 20) | r.flowLabel)
  put16(b, o + PAYLOAD_LENGTH, r.payloadLength)
  b[o + NEXT_HEADER] = r.nextHeader
  b[o + HOP_LIMIT] = r.hopLimit
  b.set(r.src, o + SRC)
  b.set(r.dst, o + DST)
  return HEADER_LEN
}
