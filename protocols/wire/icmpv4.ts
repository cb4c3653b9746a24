/**
 * ICMP for IPv4: RFC 792, router requirements of RFC 1812 §4.3, next-hop MTU of RFC 1191 §4. All messages share
 * type, code, checksum and four bytes whose meaning depends on the type; the datagram that an error quotes
 * begins at DATA.
 */

import { put16, put32, u16, u32 } from './big-endian.ts'
import { adjust16, checksum as internetChecksum, verify } from './checksum.ts'
import * as ipv4 from './ipv4.ts'

export const TYPE = 0
export const CODE = 1
export const CHECKSUM = 2
/** The four bytes that depend on the type. */
export const REST = 4
/** Identifier of queries and replies. */
export const IDENTIFIER = 4
/** Sequence number of queries and replies. */
export const SEQUENCE = 6
/** Pointer of a parameter problem. */
export const POINTER = 4
/** Next-hop MTU of "fragmentation needed". */
export const NEXT_HOP_MTU = 6
/** Gateway of a redirect. */
export const GATEWAY = 4
/** What follows the eight common bytes: payload of an echo, quoted datagram of an error. */
export const DATA = 8
export const HEADER_LEN = 8

export const ECHO_REPLY = 0
export const DESTINATION_UNREACHABLE = 3
export const SOURCE_QUENCH = 4
export const REDIRECT = 5
export const ECHO_REQUEST = 8
export const ROUTER_ADVERTISEMENT = 9
export const ROUTER_SOLICITATION = 10
export const TIME_EXCEEDED = 11
export const PARAMETER_PROBLEM = 12
export const TIMESTAMP = 13
export const TIMESTAMP_REPLY = 14
export const INFORMATION_REQUEST = 15
export const INFORMATION_REPLY = 16
export const ADDRESS_MASK_REQUEST = 17
export const ADDRESS_MASK_REPLY = 18

/** Codes of DESTINATION_UNREACHABLE: RFC 792 and RFC 1812 §5.2.7.1. */
export const NET_UNREACHABLE = 0
export const HOST_UNREACHABLE = 1
export const PROTOCOL_UNREACHABLE = 2
export const PORT_UNREACHABLE = 3
export const FRAGMENTATION_NEEDED = 4
export const SOURCE_ROUTE_FAILED = 5
export const NET_UNKNOWN = 6
export const HOST_UNKNOWN = 7
export const NET_PROHIBITED = 9
export const HOST_PROHIBITED = 10
export const COMMUNICATION_PROHIBITED = 13

/** Codes of TIME_EXCEEDED. */
export const TTL_EXCEEDED = 0
export const REASSEMBLY_EXCEEDED = 1

/** Codes of REDIRECT. */
export const REDIRECT_NET = 0
export const REDIRECT_HOST = 1

/** Longest ICMP error with its IPv4 header: RFC 1812 §4.3.2.3. */
export const ERROR_DATAGRAM_MAX = 576

/** Whether the eight common bytes fit. `end` is that of the IP datagram. */
export function check(_b: Uint8Array, o: number, end: number): boolean {
  return end - o >= HEADER_LEN
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

export function identifier(b: Uint8Array, o: number): number {
  return u16(b, o + IDENTIFIER)
}

export function sequence(b: Uint8Array, o: number): number {
  return u16(b, o + SEQUENCE)
}

export function pointer(b: Uint8Array, o: number): number {
  return b[o + POINTER]
}

/** 0 from a router older than RFC 1191. */
export function nextHopMtu(b: Uint8Array, o: number): number {
  return u16(b, o + NEXT_HOP_MTU)
}

export function gateway(b: Uint8Array, o: number): number {
  return u32(b, o + GATEWAY)
}

/** Errors quote the datagram they are about and are never answered with an error: RFC 1122 §3.2.2. */
export function isError(type: number): boolean {
  return (
    (type >= DESTINATION_UNREACHABLE && type <= REDIRECT) ||
    type === TIME_EXCEEDED ||
    type === PARAMETER_PROBLEM
  )
}

/** Queries and their replies carry an identifier and a sequence number. */
export function isQuery(type: number): boolean {
  return (
    type === ECHO_REQUEST ||
    type === TIMESTAMP ||
    type === INFORMATION_REQUEST ||
    type === ADDRESS_MASK_REQUEST
  )
}

export function isReply(type: number): boolean {
  return (
    type === ECHO_REPLY ||
    type === TIMESTAMP_REPLY ||
    type === INFORMATION_REPLY ||
    type === ADDRESS_MASK_REPLY
  )
}

/** Whether an error quotes an IPv4 header and the first eight bytes behind it, which is the least RFC 792 asks for. */
export function checkQuoted(b: Uint8Array, o: number, end: number): boolean {
  const inner = o + DATA
  return ipv4.checkHeader(b, inner, end) && end - inner - ipv4.headerLength(b, inner) >= 8
}

export function verifyChecksum(b: Uint8Array, o: number, end: number): boolean {
  return verify(b, o, end - o)
}

/** Computes the checksum over the message, whose data is in place. */
export function fillChecksum(b: Uint8Array, o: number, end: number): void {
  put16(b, o + CHECKSUM, 0)
  put16(b, o + CHECKSUM, internetChecksum(b, o, end - o))
}

export function rewriteIdentifier(b: Uint8Array, o: number, v: number): void {
  adjust16(b, o + CHECKSUM, u16(b, o + IDENTIFIER), v)
  put16(b, o + IDENTIFIER, v)
}

/** Changes the type, as when an echo request becomes its reply in place. */
export function rewriteType(b: Uint8Array, o: number, v: number): void {
  const old = u16(b, o)
  b[o + TYPE] = v
  adjust16(b, o + CHECKSUM, old, u16(b, o))
}

/** `rest` of a query or a reply. */
export function queryRest(identifier: number, sequence: number): number {
  return ((identifier << 16) | sequence) >>> 0
}

export interface Repr {
  type: number
  code: number
  /** The four bytes that depend on the type: `queryRest(…)`, the next-hop MTU, a gateway, a pointer << 24, or 0. */
  rest: number
  /** Payload, or the quoted datagram. */
  data: Uint8Array
}

/** The data is a copy. A bad checksum is no message. */
export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end) || !verifyChecksum(b, o, end)) return undefined
  return { type: type(b, o), code: code(b, o), rest: rest(b, o), data: b.slice(o + DATA, end) }
}

/** Writes the message with its checksum and returns its length. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  b.set(r.data, o + DATA)
  return finish(r.type, r.code, r.rest, b, o, r.data.length)
}

/**
 * Writes an error about the IPv4 datagram at `from` in `datagram` (for which `ipv4.check` holds), quoting as
 * much of it as fits ERROR_DATAGRAM_MAX behind an IPv4 header without options: RFC 1812 §4.3.2.3.
 * @returns the length of the ICMP message
 */
export function emitError(
  type: number,
  code: number,
  rest: number,
  datagram: Uint8Array,
  from: number,
  b: Uint8Array,
  o: number,
): number {
  const quoted = Math.min(ipv4.totalLength(datagram, from), ERROR_DATAGRAM_MAX - ipv4.HEADER_LEN - HEADER_LEN)
  for (let i = 0; i < quoted; i++) b[o + DATA + i] = datagram[from + i]
  return finish(type, code, rest, b, o, quoted)
}

function finish(type: number, code: number, rest: number, b: Uint8Array, o: number, dataLen: number): number {
  b[o + TYPE] = type
  b[o + CODE] = code
  put32(b, o + REST, rest)
  fillChecksum(b, o, o + DATA + dataLen)
  return HEADER_LEN + dataLen
}
