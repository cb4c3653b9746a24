/**
 * Ethernet II framing, IEEE 802.3 clause 3, without preamble and FCS. An address is a 48-bit number whose most
 * significant byte comes first on the wire; code that must not leave 32-bit integers reads it as 16 high and
 * 32 low bits.
 */

import { put16, put48, u16, u32, u48 } from './big-endian.ts'

export const DST = 0
export const SRC = 6
export const TYPE = 12
export const HEADER_LEN = 14

export const TYPE_IPV4 = 0x0800
export const TYPE_ARP = 0x0806
export const TYPE_IPV6 = 0x86dd
/** Smallest value of the type/length field that is a type: IEEE 802.3 §3.2.6. */
export const TYPE_MIN = 0x0600

/** Length of the shortest frame without its FCS; shorter ones are padded with zeros. */
export const MIN_FRAME = 60

export const BROADCAST = 0xffff_ffff_ffff

/** Whether a header fits. */
export function check(_b: Uint8Array, o: number, end: number): boolean {
  return end - o >= HEADER_LEN
}

export function dst(b: Uint8Array, o: number): number {
  return u48(b, o + DST)
}

export function src(b: Uint8Array, o: number): number {
  return u48(b, o + SRC)
}

/** Bytes 0–1 of the destination. */
export function dstHi(b: Uint8Array, o: number): number {
  return u16(b, o + DST)
}

/** Bytes 2–5 of the destination. */
export function dstLo(b: Uint8Array, o: number): number {
  return u32(b, o + DST + 2)
}

/** Bytes 0–1 of the source. */
export function srcHi(b: Uint8Array, o: number): number {
  return u16(b, o + SRC)
}

/** Bytes 2–5 of the source. */
export function srcLo(b: Uint8Array, o: number): number {
  return u32(b, o + SRC + 2)
}

/** The type/length field: a type from TYPE_MIN on, a length below. */
export function type(b: Uint8Array, o: number): number {
  return u16(b, o + TYPE)
}

export function setDst(b: Uint8Array, o: number, mac: number): void {
  put48(b, o + DST, mac)
}

export function setSrc(b: Uint8Array, o: number, mac: number): void {
  put48(b, o + SRC, mac)
}

export function setType(b: Uint8Array, o: number, v: number): void {
  put16(b, o + TYPE, v)
}

/** The group bit: multicast and broadcast. */
export function isMulticast(mac: number): boolean {
  return (Math.floor(mac / 0x100_0000_0000) & 1) === 1
}

/** 01:80:C2:00:00:00–0F, which a bridge does not forward: IEEE 802.1Q table 8-1. */
export function isReservedMulticast(mac: number): boolean {
  return mac >= 0x0180_c200_0000 && mac <= 0x0180_c200_000f
}

/** Whether a station may have this address: neither a group address nor zero. */
export function isStation(mac: number): boolean {
  return mac > 0 && mac < BROADCAST && !isMulticast(mac)
}

/** The multicast address that an IPv4 group maps to: RFC 1112 §6.4. */
export function multicastMac(group: number): number {
  return 0x0100_5e00_0000 + (group & 0x7f_ffff)
}

/** Six hexadecimal pairs with colons or dashes, in either case; `undefined` for anything else. */
export function parseMac(text: string): number | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$|^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/i.test(text)) return undefined
  return Number.parseInt(text.replace(/[:-]/g, ''), 16)
}

/** `02:00:00:00:00:01`. */
export function formatMac(mac: number): string {
  return mac
    .toString(16)
    .padStart(12, '0')
    .replace(/..(?!$)/g, '$&:')
}

export interface Repr {
  dst: number
  src: number
  /** Type/length field of the header, which may be the TPID of a tag. */
  type: number
}

export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  return { dst: dst(b, o), src: src(b, o), type: type(b, o) }
}

/** Writes the header and returns its length. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  put48(b, o + DST, r.dst)
  put48(b, o + SRC, r.src)
  put16(b, o + TYPE, r.type)
  return HEADER_LEN
}
