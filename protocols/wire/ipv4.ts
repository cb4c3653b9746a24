/**
 * IPv4: RFC 791, with the type-of-service byte as in RFC 2474 and RFC 3168. An address is an unsigned 32-bit
 * number whose most significant byte comes first on the wire.
 */

import { put16, put32, u16, u32 } from './big-endian.ts'
import { adjust16, adjust32, checksum as internetChecksum, verify } from './checksum.ts'

export const VERSION_IHL = 0
export const TOS = 1
export const TOTAL_LENGTH = 2
export const IDENTIFICATION = 4
export const FRAGMENT = 6
export const TTL = 8
export const PROTOCOL = 9
export const CHECKSUM = 10
export const SRC = 12
export const DST = 16
/** Length of a header without options. */
export const HEADER_LEN = 20
/** Length of the longest header. */
export const HEADER_MAX = 60

/** Bits of the fragment field. */
export const DF = 0x4000
export const MF = 0x2000
export const OFFSET_MASK = 0x1fff

export const PROTO_ICMP = 1
export const PROTO_IGMP = 2
export const PROTO_TCP = 6
export const PROTO_UDP = 17

/** Option kinds, RFC 791 §3.1 and RFC 2113. */
export const OPTION_END = 0
export const OPTION_NOP = 1
export const OPTION_RECORD_ROUTE = 7
export const OPTION_TIMESTAMP = 68
export const OPTION_LOOSE_SOURCE_ROUTE = 131
export const OPTION_STRICT_SOURCE_ROUTE = 137
export const OPTION_ROUTER_ALERT = 148

export const BROADCAST = 0xffff_ffff

/**
 * Whether a whole header fits and is IPv4's, without asking for the payload: for the datagram that an ICMP
 * error quotes, which is cut short on purpose.
 */
export function checkHeader(b: Uint8Array, o: number, end: number): boolean {
  if (end - o < HEADER_LEN) return false
  const first = b[o]
  if (first >>> 4 !== 4) return false
  const len = (first & 15) << 2
  return len >= HEADER_LEN && len <= end - o && u16(b, o + TOTAL_LENGTH) >= len
}

/** Whether a whole datagram fits. Padding may follow: the datagram ends at `end(b, o)`. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  return checkHeader(b, o, end) && u16(b, o + TOTAL_LENGTH) <= end - o
}

export function headerLength(b: Uint8Array, o: number): number {
  return (b[o] & 15) << 2
}

/** DSCP in the upper six bits, ECN in the lower two. */
export function tos(b: Uint8Array, o: number): number {
  return b[o + TOS]
}

export function totalLength(b: Uint8Array, o: number): number {
  return u16(b, o + TOTAL_LENGTH)
}

/** Where the datagram ends, absolute and exclusive; what follows is padding of the frame. */
export function end(b: Uint8Array, o: number): number {
  return o + u16(b, o + TOTAL_LENGTH)
}

/** Where the payload begins, absolute. */
export function payload(b: Uint8Array, o: number): number {
  return o + ((b[o] & 15) << 2)
}

export function identification(b: Uint8Array, o: number): number {
  return u16(b, o + IDENTIFICATION)
}

export function dontFragment(b: Uint8Array, o: number): boolean {
  return (b[o + FRAGMENT] & 0x40) !== 0
}

export function moreFragments(b: Uint8Array, o: number): boolean {
  return (b[o + FRAGMENT] & 0x20) !== 0
}

/** Position of this fragment's payload in the whole, in bytes. */
export function fragmentOffset(b: Uint8Array, o: number): number {
  return (u16(b, o + FRAGMENT) & OFFSET_MASK) << 3
}

/** Whether this is a piece of a larger datagram, the first included. */
export function isFragment(b: Uint8Array, o: number): boolean {
  return (u16(b, o + FRAGMENT) & (MF | OFFSET_MASK)) !== 0
}

export function ttl(b: Uint8Array, o: number): number {
  return b[o + TTL]
}

export function protocol(b: Uint8Array, o: number): number {
  return b[o + PROTOCOL]
}

export function checksum(b: Uint8Array, o: number): number {
  return u16(b, o + CHECKSUM)
}

export function src(b: Uint8Array, o: number): number {
  return u32(b, o + SRC)
}

export function dst(b: Uint8Array, o: number): number {
  return u32(b, o + DST)
}

export function verifyChecksum(b: Uint8Array, o: number): boolean {
  return verify(b, o, headerLength(b, o))
}

/** Computes the header checksum anew. */
export function fillChecksum(b: Uint8Array, o: number): void {
  put16(b, o + CHECKSUM, 0)
  put16(b, o + CHECKSUM, internetChecksum(b, o, headerLength(b, o)))
}

export function rewriteTos(b: Uint8Array, o: number, v: number): void {
  const old = u16(b, o)
  b[o + TOS] = v
  adjust16(b, o + CHECKSUM, old, u16(b, o))
}

export function rewriteTtl(b: Uint8Array, o: number, v: number): void {
  const old = u16(b, o + TTL)
  b[o + TTL] = v
  adjust16(b, o + CHECKSUM, old, u16(b, o + TTL))
}

export function rewriteSrc(b: Uint8Array, o: number, address: number): void {
  adjust32(b, o + CHECKSUM, u32(b, o + SRC), address)
  put32(b, o + SRC, address)
}

export function rewriteDst(b: Uint8Array, o: number, address: number): void {
  adjust32(b, o + CHECKSUM, u32(b, o + DST), address)
  put32(b, o + DST, address)
}

/**
 * Absolute offset of the first option of this kind, or 0. A malformed option ends the search: its length
 * cannot be trusted to find the next one. An option found lies wholly inside the header.
 */
export function findOption(b: Uint8Array, o: number, kind: number): number {
  const stop = o + headerLength(b, o)
  let at = o + HEADER_LEN
  while (at < stop) {
    const k = b[at]
    if (k === OPTION_END) return 0
    if (k === OPTION_NOP) {
      if (kind === k) return at
      at++
      continue
    }
    if (at + 1 >= stop) return 0
    const len = b[at + 1]
    if (len < 2 || at + len > stop) return 0
    if (kind === k) return at
    at += len
  }
  return 0
}

/**
 * Whether every option is well formed. A router answers others with a parameter problem (RFC 1812 §4.2.2.1).
 * @returns 0 when well formed, else the offset from the start of the header of the offending byte: what an
 *   ICMP parameter problem's pointer says
 */
export function optionsProblem(b: Uint8Array, o: number): number {
  const stop = o + headerLength(b, o)
  let at = o + HEADER_LEN
  while (at < stop) {
    const k = b[at]
    if (k === OPTION_END) return 0
    if (k === OPTION_NOP) {
      at++
      continue
    }
    if (at + 1 >= stop) return at - o
    const len = b[at + 1]
    if (len < 2 || at + len > stop) return at + 1 - o
    at += len
  }
  return 0
}

export interface Repr {
  src: number
  dst: number
  protocol: number
  ttl: number
  /** Bytes behind the header. */
  payloadLength: number
  /** Default 0. */
  tos?: number
  /** Default 0. */
  identification?: number
  /** Default false. */
  dontFragment?: boolean
  /** Default false. */
  moreFragments?: boolean
  /** In bytes, a multiple of 8; default 0. */
  fragmentOffset?: number
  /** At most 40 bytes; default none. Padded with zeros to a multiple of 4 when written. */
  options?: Uint8Array
}

/** Length of the header that `emit` writes. */
export function emitLength(r: Repr): number {
  return HEADER_LEN + (((r.options?.length ?? 0) + 3) & ~3)
}

/** All fields of the record are set, the options as a copy. A bad checksum is no datagram. */
export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end) || !verifyChecksum(b, o)) return undefined
  const headerLen = headerLength(b, o)
  return {
    src: src(b, o),
    dst: dst(b, o),
    protocol: protocol(b, o),
    ttl: ttl(b, o),
    payloadLength: totalLength(b, o) - headerLen,
    tos: tos(b, o),
    identification: identification(b, o),
    dontFragment: dontFragment(b, o),
    moreFragments: moreFragments(b, o),
    fragmentOffset: fragmentOffset(b, o),
    options: b.slice(o + HEADER_LEN, o + headerLen),
  }
}

/** Writes the header with its checksum and returns its length. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  const len = emitLength(r)
  b[o + VERSION_IHL] = 0x40 | (len >>> 2)
  b[o + TOS] = r.tos ?? 0
  put16(b, o + TOTAL_LENGTH, len + r.payloadLength)
  put16(b, o + IDENTIFICATION, r.identification ?? 0)
  const flags = (r.dontFragment ? DF : 0) | (r.moreFragments ? MF : 0)
  put16(b, o + FRAGMENT, flags | ((r.fragmentOffset ?? 0) >>> 3))
  b[o + TTL] = r.ttl
  b[o + PROTOCOL] = r.protocol
  put32(b, o + SRC, r.src)
  put32(b, o + DST, r.dst)
  if (r.options !== undefined) {
    b.fill(0, o + HEADER_LEN, o + len)
    b.set(r.options, o + HEADER_LEN)
  }
  fillChecksum(b, o)
  return len
}

/** Strict dotted quad, no leading zeros (they would read as octal elsewhere); `undefined` for anything else. */
export function parseIpv4(text: string): number | undefined {
  const m = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (m === null) return undefined
  let address = 0
  for (let i = 1; i <= 4; i++) {
    const part = m[i]!
    const v = Number(part)
    if (v > 255 || (part.length > 1 && part.startsWith('0'))) return undefined
    address = address * 256 + v
  }
  return address
}

export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

/** An address and how many of its leading bits name the network; host bits are kept. */
export interface Prefix {
  address: number
  prefixLength: number
}

/** `a.b.c.d/len`; `undefined` for anything else, a missing length included. */
export function parsePrefix(text: string): Prefix | undefined {
  const m = /^([\d.]+)\/(\d|[12]\d|3[0-2])$/.exec(text)
  if (m === null) return undefined
  const address = parseIpv4(m[1]!)
  return address === undefined ? undefined : { address, prefixLength: Number(m[2]) }
}

export function formatPrefix(p: Prefix): string {
  return `${formatIpv4(p.address)}/${p.prefixLength}`
}

/** The mask of a prefix length from 0 to 32. */
export function mask(prefixLength: number): number {
  return prefixLength === 0 ? 0 : (0xffff_ffff << (32 - prefixLength)) >>> 0
}

/** Whether `address` lies in the prefix's network. */
export function contains(p: Prefix, address: number): boolean {
  return ((p.address ^ address) & mask(p.prefixLength)) === 0
}

/** The network's own address: the host bits cleared. */
export function network(p: Prefix): number {
  return (p.address & mask(p.prefixLength)) >>> 0
}

/** The network's directed broadcast address: the host bits set. */
export function broadcast(p: Prefix): number {
  return (p.address | ~mask(p.prefixLength)) >>> 0
}

/** 224.0.0.0/4. */
export function isMulticast(address: number): boolean {
  return address >>> 28 === 14
}

/** 127.0.0.0/8. */
export function isLoopback(address: number): boolean {
  return address >>> 24 === 127
}
