/** UDP: RFC 768. A checksum field of zero means that the sender computed none (over IPv4 only). */

import { put16, u16 } from './big-endian.ts'
import { adjustPartial32, checksum as internetChecksum, update16, update32, verify } from './checksum.ts'

export const SRC_PORT = 0
export const DST_PORT = 2
export const LENGTH = 4
export const CHECKSUM = 6
export const HEADER_LEN = 8

/** Whether a whole datagram fits and its length field is possible. `end` is that of the IP datagram. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  if (end - o < HEADER_LEN) return false
  const len = u16(b, o + LENGTH)
  return len >= HEADER_LEN && len <= end - o
}

export function srcPort(b: Uint8Array, o: number): number {
  return u16(b, o + SRC_PORT)
}

export function dstPort(b: Uint8Array, o: number): number {
  return u16(b, o + DST_PORT)
}

/** Header and payload in bytes. */
export function length(b: Uint8Array, o: number): number {
  return u16(b, o + LENGTH)
}

export function checksum(b: Uint8Array, o: number): number {
  return u16(b, o + CHECKSUM)
}

/**
 * @param pseudo sum of the pseudo-header, see checksum.ts
 * @returns true as well for a datagram without a checksum; over IPv6 the caller refuses those (RFC 8200 §8.1)
 */
export function verifyChecksum(b: Uint8Array, o: number, pseudo: number): boolean {
  return u16(b, o + CHECKSUM) === 0 || verify(b, o, u16(b, o + LENGTH), pseudo)
}

/** Computes the checksum over the datagram, whose payload is in place. One that comes out as zero is sent as 0xffff. */
export function fillChecksum(b: Uint8Array, o: number, pseudo: number): void {
  put16(b, o + CHECKSUM, 0)
  put16(b, o + CHECKSUM, internetChecksum(b, o, u16(b, o + LENGTH), pseudo) || 0xffff)
}

function adjust(b: Uint8Array, o: number, old16: number, new16: number): void {
  const old = u16(b, o + CHECKSUM)
  if (old !== 0) put16(b, o + CHECKSUM, update16(old, old16, new16) || 0xffff)
}

/** Not for a partial checksum, which ports do not enter: there, `setSrcPort`. */
export function rewriteSrcPort(b: Uint8Array, o: number, v: number): void {
  adjust(b, o, u16(b, o + SRC_PORT), v)
  put16(b, o + SRC_PORT, v)
}

/** Not for a partial checksum, which ports do not enter: there, `setDstPort`. */
export function rewriteDstPort(b: Uint8Array, o: number, v: number): void {
  adjust(b, o, u16(b, o + DST_PORT), v)
  put16(b, o + DST_PORT, v)
}

/** Leaves the checksum alone. */
export function setSrcPort(b: Uint8Array, o: number, v: number): void {
  put16(b, o + SRC_PORT, v)
}

/** Leaves the checksum alone. */
export function setDstPort(b: Uint8Array, o: number, v: number): void {
  put16(b, o + DST_PORT, v)
}

/** Brings the checksum up to date after an IPv4 address of the pseudo-header changed. */
export function adjustAddress(b: Uint8Array, o: number, old32: number, new32: number): void {
  const old = u16(b, o + CHECKSUM)
  if (old !== 0) put16(b, o + CHECKSUM, update32(old, old32, new32) || 0xffff)
}

/** The same for a partial checksum (virtio-net NEEDS_CSUM). */
export function adjustPartialAddress(b: Uint8Array, o: number, old32: number, new32: number): void {
  adjustPartial32(b, o + CHECKSUM, old32, new32)
}

export interface Repr {
  srcPort: number
  dstPort: number
  /** Header and payload in bytes. */
  length: number
}

export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  return { srcPort: srcPort(b, o), dstPort: dstPort(b, o), length: length(b, o) }
}

/** Writes the header with no checksum (zero) and returns its length; `fillChecksum` follows once the payload stands. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  put16(b, o + SRC_PORT, r.srcPort)
  put16(b, o + DST_PORT, r.dstPort)
  put16(b, o + LENGTH, r.length)
  put16(b, o + CHECKSUM, 0)
  return HEADER_LEN
}
