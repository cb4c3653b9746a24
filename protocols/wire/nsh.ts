/** Network Service Header, RFC 8300 §2: base header, service path header, and a context of MD type 1 or 2. */
import { put16, put32, u16, u24, u32 } from './big-endian.ts'

/** Version (2 bits), O bit and a reserved one, TTL (6), length in words of four bytes (6). */
export const FIRST = 0
/** Four reserved bits, MD type (4). */
export const MD_TYPE = 2
export const NEXT_PROTOCOL = 3
/** Service path identifier (24 bits), service index (8). */
export const SERVICE_PATH = 4
export const CONTEXT = 8

/** Base and service path header: all of a header of MD type 2 without context. */
export const BASE_LEN = 8
/** MD type 1 has four context words, always. */
export const MD1_LEN = 24
/** What the length field can state. */
export const LENGTH_MAX = 63 * 4

/** Next protocols, RFC 8300 §9.1.5. */
export const NP_IPV4 = 1
export const NP_IPV6 = 2
export const NP_ETHERNET = 3
export const NP_NSH = 4
export const NP_MPLS = 5

/** Whether a header of version 0 stands whole at `o` and its length suits its MD type. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  if (end - o < BASE_LEN || b[o] >>> 6 !== 0) return false
  const len = length(b, o)
  if (len < BASE_LEN || len > end - o) return false
  return mdType(b, o) !== 1 || len === MD1_LEN
}

/** The two bits behind the version: O bit and a reserved one. */
export function flags(b: Uint8Array, o: number): number {
  return (u16(b, o + FIRST) >>> 12) & 3
}

export function ttl(b: Uint8Array, o: number): number {
  return (u16(b, o + FIRST) >>> 6) & 0x3f
}

/** Bytes of the header, context included. */
export function length(b: Uint8Array, o: number): number {
  return (u16(b, o + FIRST) & 0x3f) << 2
}

export function mdType(b: Uint8Array, o: number): number {
  return b[o + MD_TYPE] & 0x0f
}

export function nextProtocol(b: Uint8Array, o: number): number {
  return b[o + NEXT_PROTOCOL]
}

export function spi(b: Uint8Array, o: number): number {
  return u24(b, o + SERVICE_PATH)
}

export function si(b: Uint8Array, o: number): number {
  return b[o + SERVICE_PATH + 3]
}

/** A context header of MD type 2, RFC 8300 §2.5.1. */
export interface Tlv {
  readonly class: number
  /** With the bit that makes it critical, 0x80. */
  readonly type: number
  /** At most 127 bytes; padded to words of four on the wire. */
  readonly data: Uint8Array
}

export interface Repr {
  readonly flags: number
  readonly ttl: number
  readonly nextProtocol: number
  readonly spi: number
  readonly si: number
  /** Four words (MD type 1), or any number of TLVs (MD type 2). */
  readonly context: { readonly words: readonly number[] } | { readonly tlvs: readonly Tlv[] }
}

/** Bytes on the wire of a list of TLVs. */
export function tlvsLength(tlvs: readonly Tlv[]): number {
  return tlvs.reduce((sum, t) => sum + 4 + ((t.data.length + 3) & ~3), 0)
}

/** Writes TLVs, padded, one behind the other. There is room for `tlvsLength` bytes. */
export function emitTlvs(tlvs: readonly Tlv[], b: Uint8Array, o: number): void {
  for (const t of tlvs) {
    const end = o + 4 + ((t.data.length + 3) & ~3)
    put16(b, o, t.class)
    b[o + 2] = t.type
    b[o + 3] = t.data.length
    b.set(t.data, o + 4)
    b.fill(0, o + 4 + t.data.length, end)
    o = end
  }
}

/** undefined where `check` fails, the MD type is another, or TLVs do not fill the header. */
export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  const stop = o + length(b, o)
  const common = {
    flags: flags(b, o),
    ttl: ttl(b, o),
    nextProtocol: nextProtocol(b, o),
    spi: spi(b, o),
    si: si(b, o),
  }
  if (mdType(b, o) === 1) {
    return { ...common, context: { words: [0, 4, 8, 12].map((i) => u32(b, o + CONTEXT + i)) } }
  }
  if (mdType(b, o) !== 2) return undefined
  const tlvs: Tlv[] = []
  for (let p = o + CONTEXT; p < stop; ) {
    const len = b[p + 3] & 0x7f
    const next = p + 4 + ((len + 3) & ~3)
    if (next > stop) return undefined
    tlvs.push({ class: u16(b, p), type: b[p + 2], data: b.slice(p + 4, p + 4 + len) })
    p = next
  }
  return { ...common, context: { tlvs } }
}

/** Bytes that `emit` writes; at most LENGTH_MAX. */
export function headerLength({ context }: Repr): number {
  return 'words' in context ? MD1_LEN : BASE_LEN + tlvsLength(context.tlvs)
}

export function emit(r: Repr, b: Uint8Array, o: number): void {
  const { context } = r
  put16(b, o + FIRST, (r.flags << 12) | (r.ttl << 6) | (headerLength(r) >>> 2))
  b[o + MD_TYPE] = 'words' in context ? 1 : 2
  b[o + NEXT_PROTOCOL] = r.nextProtocol
  put32(b, o + SERVICE_PATH, r.spi * 256 + r.si)
  if ('words' in context) for (const [i, w] of context.words.entries()) put32(b, o + CONTEXT + 4 * i, w)
  else emitTlvs(context.tlvs, b, o + CONTEXT)
}
