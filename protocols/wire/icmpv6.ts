/** ICMPv6 (RFC 4443) and the neighbour discovery messages in it (RFC 4861 §4). */

import { put16, put32, u16, u32 } from './big-endian.ts'
import { checksum as internetChecksum, verify } from './checksum.ts'

export const TYPE = 0
export const CODE = 1
export const CHECKSUM = 2
/** The four bytes that depend on the type. */
export const REST = 4
/** What follows the eight common bytes; the target of neighbour discovery. */
export const DATA = 8
export const HEADER_LEN = 8

export const ND_TARGET = 8

export const DESTINATION_UNREACHABLE = 1
export const PACKET_TOO_BIG = 2
export const TIME_EXCEEDED = 3
export const PARAMETER_PROBLEM = 4
export const ECHO_REQUEST = 128
export const ECHO_REPLY = 129
export const ROUTER_SOLICITATION = 133
export const ROUTER_ADVERTISEMENT = 134
export const NEIGHBOR_SOLICITATION = 135
export const NEIGHBOR_ADVERTISEMENT = 136
export const ND_REDIRECT = 137

/** Neighbour discovery options, RFC 4861 §4.6. */
export const OPTION_SOURCE_LINK_LAYER = 1
export const OPTION_TARGET_LINK_LAYER = 2

const ADDRESS_LEN = 16

/** Whether the eight common bytes fit. `end` is that of the IPv6 datagram. */
export function check(_b: Uint8Array, o: number, end: number): boolean {
  return end - o >= HEADER_LEN
}

/** Whether this is a whole neighbour solicitation or advertisement; only then may `ND_TARGET` be read. */
export function checkNeighbor(b: Uint8Array, o: number, end: number): boolean {
  return (
    end - o >= ND_TARGET + ADDRESS_LEN &&
    (b[o] === NEIGHBOR_SOLICITATION || b[o] === NEIGHBOR_ADVERTISEMENT) &&
    b[o + CODE] === 0
  )
}

export function type(b: Uint8Array, o: number): number {
  return b[o + TYPE]
}

export function code(b: Uint8Array, o: number): number {
  return b[o + CODE]
}

export function checksum(b: Uint8Array, o: number): number {
  return u16(b, o + CHECKSUM)
}

/** The four bytes that depend on the type, as one number. */
export function rest(b: Uint8Array, o: number): number {
  return u32(b, o + REST)
}

/** One of the four 32-bit words of the target address, the first being 0. */
export function targetWord(b: Uint8Array, o: number, i: number): number {
  return u32(b, o + ND_TARGET + 4 * i)
}

/** Where the options of a neighbour discovery message begin, in bytes from its start; 0 for other types. */
export function optionsOffset(type: number): number {
  switch (type) {
    case ROUTER_SOLICITATION:
      return 8
    case ROUTER_ADVERTISEMENT:
      return 16
    case NEIGHBOR_SOLICITATION:
    case NEIGHBOR_ADVERTISEMENT:
      return 24
    case ND_REDIRECT:
      return 40
    default:
      return 0
  }
}

/**
 * Absolute offset of the six bytes of a link-layer address option, or 0. An option of length zero ends
 * the search: RFC 4861 §4.6 has the whole packet discarded.
 * @param kind OPTION_SOURCE_LINK_LAYER or OPTION_TARGET_LINK_LAYER
 */
export function linkLayerAddress(b: Uint8Array, o: number, end: number, kind: number): number {
  const start = optionsOffset(b[o])
  if (start === 0) return 0
  let at = o + start
  while (end - at >= 8) {
    const len = b[at + 1] << 3
    if (len === 0) return 0
    if (b[at] === kind) return len === 8 ? at + 2 : 0
    at += len
  }
  return 0
}

/** @param pseudo sum of the pseudo-header, see checksum.ts */
export function verifyChecksum(b: Uint8Array, o: number, end: number, pseudo: number): boolean {
  return verify(b, o, end - o, pseudo)
}

/** Computes the checksum over the message, whose data is in place. */
export function fillChecksum(b: Uint8Array, o: number, end: number, pseudo: number): void {
  put16(b, o + CHECKSUM, 0)
  put16(b, o + CHECKSUM, internetChecksum(b, o, end - o, pseudo))
}

export interface Repr {
  type: number
  code: number
  /** The four bytes that depend on the type. */
  rest: number
  /** All that follows the eight common bytes. */
  data: Uint8Array
}

/** The data is a copy. The checksum is the caller's to verify, who has the addresses. */
export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  return { type: type(b, o), code: code(b, o), rest: rest(b, o), data: b.slice(o + DATA, end) }
}

/** Writes the message with a zero checksum and returns its length; `fillChecksum` follows. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  b[o + TYPE] = r.type
  b[o + CODE] = r.code
  put16(b, o + CHECKSUM, 0)
  put32(b, o + REST, r.rest)
  b.set(r.data, o + DATA)
  return HEADER_LEN + r.data.length
}
