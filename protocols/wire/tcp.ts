/** TCP segments: RFC 9293 §3.1, flags with ECN of RFC 3168 and AE of RFC 7560. */

import { put16, put32, u16, u32 } from './big-endian.ts'
import { adjust16, adjust32, adjustPartial32, checksum as internetChecksum, verify } from './checksum.ts'

export const SRC_PORT = 0
export const DST_PORT = 2
export const SEQ = 4
export const ACK_NUMBER = 8
export const DATA_OFFSET_FLAGS = 12
export const WINDOW = 14
export const CHECKSUM = 16
export const URGENT_POINTER = 18
/** Length of a header without options. */
export const HEADER_LEN = 20
/** Length of the longest header. */
export const HEADER_MAX = 60

export const FIN = 0x001
export const SYN = 0x002
export const RST = 0x004
export const PSH = 0x008
export const ACK = 0x010
export const URG = 0x020
export const ECE = 0x040
export const CWR = 0x080
export const AE = 0x100

export const OPTION_END = 0
export const OPTION_NOP = 1
export const OPTION_MSS = 2
export const OPTION_WINDOW_SCALE = 3
export const OPTION_SACK_PERMITTED = 4
export const OPTION_SACK = 5
export const OPTION_TIMESTAMPS = 8

/** Whether a whole header fits and its data offset is possible. `end` is that of the IP datagram. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  if (end - o < HEADER_LEN) return false
  const len = (b[o + DATA_OFFSET_FLAGS] >>> 4) << 2
  return len >= HEADER_LEN && len <= end - o
}

export function srcPort(b: Uint8Array, o: number): number {
  return u16(b, o + SRC_PORT)
}

export function dstPort(b: Uint8Array, o: number): number {
  return u16(b, o + DST_PORT)
}

export function seq(b: Uint8Array, o: number): number {
  return u32(b, o + SEQ)
}

export function ackNumber(b: Uint8Array, o: number): number {
  return u32(b, o + ACK_NUMBER)
}

export function headerLength(b: Uint8Array, o: number): number {
  return (b[o + DATA_OFFSET_FLAGS] >>> 4) << 2
}

/** All twelve bits behind the data offset. */
export function flags(b: Uint8Array, o: number): number {
  return u16(b, o + DATA_OFFSET_FLAGS) & 0xfff
}

export function window(b: Uint8Array, o: number): number {
  return u16(b, o + WINDOW)
}

export function checksum(b: Uint8Array, o: number): number {
  return u16(b, o + CHECKSUM)
}

export function urgentPointer(b: Uint8Array, o: number): number {
  return u16(b, o + URGENT_POINTER)
}

/** @param pseudo sum of the pseudo-header, see checksum.ts */
export function verifyChecksum(b: Uint8Array, o: number, end: number, pseudo: number): boolean {
  return verify(b, o, end - o, pseudo)
}

/** Computes the checksum over the segment, whose payload is in place. */
export function fillChecksum(b: Uint8Array, o: number, end: number, pseudo: number): void {
  put16(b, o + CHECKSUM, 0)
  put16(b, o + CHECKSUM, internetChecksum(b, o, end - o, pseudo))
}

/** Not for a partial checksum, which ports do not enter: there, `setSrcPort`. */
export function rewriteSrcPort(b: Uint8Array, o: number, v: number): void {
  adjust16(b, o + CHECKSUM, u16(b, o + SRC_PORT), v)
  put16(b, o + SRC_PORT, v)
}

/** Not for a partial checksum, which ports do not enter: there, `setDstPort`. */
export function rewriteDstPort(b: Uint8Array, o: number, v: number): void {
  adjust16(b, o + CHECKSUM, u16(b, o + DST_PORT), v)
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
  adjust32(b, o + CHECKSUM, old32, new32)
}

/** The same for a partial checksum (virtio-net NEEDS_CSUM). */
export function adjustPartialAddress(b: Uint8Array, o: number, old32: number, new32: number): void {
  adjustPartial32(b, o + CHECKSUM, old32, new32)
}

/**
 * Absolute offset of the first option of this kind, or 0. A malformed option ends the search. An option found
 * lies wholly inside the header.
 */
export function findOption(b: Uint8Array, o: number, kind: number): number {
  const stop = o + headerLength(b, o)
  let at = o + HEADER_LEN
  while (at < stop) {
    const k = b[at]
    if (k === OPTION_END) return 0
    if (k === OPTION_NOP) {
      at++
      continue
    }
    if (at + 1 >= stop) return 0
    const len = b[at + 1]
    if (len < 2 || at + len > stop) return 0
    if (k === kind) return at
    at += len
  }
  return 0
}

/** The maximum segment size that the header announces, or 0. */
export function mss(b: Uint8Array, o: number): number {
  const at = findOption(b, o, OPTION_MSS)
  return at !== 0 && b[at + 1] === 4 ? u16(b, at + 2) : 0
}

/**
 * Lowers an announced maximum segment size that exceeds `max` (MSS clamping).
 * @param partial whether the checksum is a partial one, which the option does not enter
 * @returns whether something was changed
 */
export function clampMss(b: Uint8Array, o: number, max: number, partial = false): boolean {
  const at = findOption(b, o, OPTION_MSS)
  if (at === 0 || b[at + 1] !== 4) return false
  const old = u16(b, at + 2)
  if (old <= max) return false
  put16(b, at + 2, max)
  if (!partial) {
    // An option may stand at an odd offset; its value then straddles two words of the sum.
    const odd = ((at - o) & 1) !== 0
    adjust16(b, o + CHECKSUM, odd ? swap(old) : old, odd ? swap(max) : max)
  }
  return true
}

function swap(v: number): number {
  return ((v & 0xff) << 8) | (v >>> 8)
}

export interface Repr {
  srcPort: number
  dstPort: number
  seq: number
  ack: number
  /** FIN, SYN … together. */
  flags: number
  window: number
  urgentPointer: number
  /** At most 40 bytes, padded with zeros to a multiple of 4 when written. */
  options: Uint8Array
}

export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  return {
    srcPort: srcPort(b, o),
    dstPort: dstPort(b, o),
    seq: seq(b, o),
    ack: ackNumber(b, o),
    flags: flags(b, o),
    window: window(b, o),
    urgentPointer: urgentPointer(b, o),
    options: b.slice(o + HEADER_LEN, o + headerLength(b, o)),
  }
}

/** Writes the header with a zero checksum and returns its length; `fillChecksum` follows once the payload stands. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  const len = HEADER_LEN + ((r.options.length + 3) & ~3)
  put16(b, o + SRC_PORT, r.srcPort)
  put16(b, o + DST_PORT, r.dstPort)
  put32(b, o + SEQ, r.seq)
  put32(b, o + ACK_NUMBER, r.ack)
  put16(b, o + DATA_OFFSET_FLAGS, (len << 10) | (r.flags & 0xfff))
  put16(b, o + WINDOW, r.window)
  put16(b, o + CHECKSUM, 0)
  put16(b, o + URGENT_POINTER, r.urgentPointer)
  b.fill(0, o + HEADER_LEN, o + len)
  b.set(r.options, o + HEADER_LEN)
  return len
}
