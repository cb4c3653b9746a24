/**
 * The Internet checksum: RFC 1071 (computing), RFC 1624 (updating), RFC 768, 9293 and 8200 §8.1
 * (pseudo-headers).
 *
 * Two kinds of value are told apart. A *sum* is the ones-complement sum of 16-bit words, folded to 16 bits;
 * sums can be added to one another with `fold(a + b)`. A *checksum* is the complement of a sum, as it stands in
 * a header. A virtio-net partial checksum field holds a sum, namely that of the pseudo-header.
 */

import { u16 } from './big-endian.ts'

/** Folds a total below 2^32 into a 16-bit ones-complement sum. */
export function fold(total: number): number {
  total = (total & 0xffff) + (total >>> 16)
  return (total & 0xffff) + (total >>> 16)
}

/**
 * The ones-complement sum of `len` bytes, at any alignment; an odd last byte is padded with zero on the right.
 * Only the last piece of a sum built from several may therefore have an odd length.
 * @param initial a sum to start from, or any total below 2^31
 * @param len at most 131,070
 */
export function sum(b: Uint8Array, o: number, len: number, initial = 0): number {
  // High and low bytes are added up apart: small integers all the way, and no shift per word.
  let hi = 0
  let lo = 0
  let i = o
  const end = o + len
  const end8 = end - 7
  for (; i < end8; i += 8) {
    hi += b[i] + b[i + 2] + b[i + 4] + b[i + 6]
    lo += b[i + 1] + b[i + 3] + b[i + 5] + b[i + 7]
  }
  for (; i < end - 1; i += 2) {
    hi += b[i]
    lo += b[i + 1]
  }
  if (i < end) hi += b[i]
  return fold(fold(hi * 256) + fold(lo) + fold(initial))
}

/** The Internet checksum of `len` bytes: what belongs in the checksum field when that field is summed as zero. */
export function checksum(b: Uint8Array, o: number, len: number, initial = 0): number {
  return ~sum(b, o, len, initial) & 0xffff
}

/** Whether `len` bytes that contain their own checksum add up. */
export function verify(b: Uint8Array, o: number, len: number, initial = 0): boolean {
  return sum(b, o, len, initial) === 0xffff
}

/**
 * The sum of an IPv4 pseudo-header (RFC 768, RFC 9293 §3.1).
 * @param src 32-bit address
 * @param dst 32-bit address
 * @param len bytes of transport header and payload
 */
export function pseudoHeader4(src: number, dst: number, protocol: number, len: number): number {
  return fold((src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + len)
}

/**
 * The sum of an IPv6 pseudo-header (RFC 8200 §8.1).
 * @param o where in `b` the 32 bytes of source and destination address lie, as in the fixed header
 * @param len bytes of transport header and payload, below 2^31
 */
export function pseudoHeader6(b: Uint8Array, o: number, protocol: number, len: number): number {
  return sum(b, o, 32, (len >>> 16) + (len & 0xffff) + protocol)
}

/** A sum after one of its 16-bit words changed. */
export function replaceInSum16(s: number, old16: number, new16: number): number {
  return fold(s + (~old16 & 0xffff) + new16)
}

/** A sum after one of its 32-bit words changed. */
export function replaceInSum32(s: number, old32: number, new32: number): number {
  return fold(
    s + (~(old32 >>> 16) & 0xffff) + (~old32 & 0xffff) + ((new32 >>> 16) & 0xffff) + (new32 & 0xffff),
  )
}

/** RFC 1624 equation 3: the checksum after a 16-bit word that it covers changed. */
export function update16(old: number, old16: number, new16: number): number {
  return ~replaceInSum16(~old & 0xffff, old16, new16) & 0xffff
}

/** RFC 1624 equation 3 for a 32-bit word (an IPv4 address) on an even offset. */
export function update32(old: number, old32: number, new32: number): number {
  return ~replaceInSum32(~old & 0xffff, old32, new32) & 0xffff
}

/** Brings the checksum field at `at` up to date after a 16-bit word that it covers changed. */
export function adjust16(b: Uint8Array, at: number, old16: number, new16: number): void {
  const c = update16(u16(b, at), old16, new16)
  b[at] = c >>> 8
  b[at + 1] = c
}

/** Brings the checksum field at `at` up to date after a 32-bit word that it covers changed. */
export function adjust32(b: Uint8Array, at: number, old32: number, new32: number): void {
  const c = update32(u16(b, at), old32, new32)
  b[at] = c >>> 8
  b[at + 1] = c
}

/**
 * Brings a partial checksum field (virtio-net NEEDS_CSUM: it holds the pseudo-header's sum, not complemented)
 * up to date after an address changed. A changed port leaves such a field alone.
 */
export function adjustPartial32(b: Uint8Array, at: number, old32: number, new32: number): void {
  const s = replaceInSum32(u16(b, at), old32, new32)
  b[at] = s >>> 8
  b[at + 1] = s
}
