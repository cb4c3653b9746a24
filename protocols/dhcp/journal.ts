/**
 * The lease journal's bytes. A file is an eight-byte heading and records one behind the other; the last record
 * of an address is the valid one. Numbers are in network order.
 *
 *   frame:   marker u16 (0xd5c9), length of the body u16, CRC-32 of the body u32, body
 *   body:    state u8 (1 bound, 2 released, 3 declined), htype u8, address u32, expires f64 (ms since the epoch,
 *            infinity for ever), then chaddr, client identifier and host name, each a length u8 and bytes;
 *            a flag u8 before the client identifier says whether there is one
 *
 * A crash tears at most what was being written, so a reader stops wondering at the last whole record. Should
 * the medium have damaged something in the middle, the reader goes on at the next frame whose sum is right.
 */

import { put16, put32, u16, u32 } from '../wire/big-endian.ts'
import type { LeaseRecord } from './lease-record.ts'
import { encodeText } from './text.ts'

export const HEADING = encodeText('dhcpls1\n')
const MARKER = 0xd5c9
const FRAME_HEADER = 8
/** Fixed part of a body. */
const BODY_FIXED = 1 + 1 + 4 + 8
/** A longer body is no record: 14 fixed, 4 lengths and flags, three byte strings of at most 255. */
const MAX_BODY = BODY_FIXED + 4 + 3 * 255

const STATES = ['bound', 'released', 'declined'] as const

const CRC_TABLE = /* IEEE 802.3, reflected */ Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

/** CRC-32 of IEEE 802.3 over `b[from..to)`. */
export function crc32(b: Uint8Array, from: number, to: number): number {
  let c = 0xffff_ffff
  for (let i = from; i < to; i++) c = CRC_TABLE[(c ^ b[i]) & 255] ^ (c >>> 8)
  return (c ^ 0xffff_ffff) >>> 0
}

/** Puts down at most 255 bytes behind their number; where the next thing goes. */
function putBytes(b: Uint8Array, at: number, data: Uint8Array): number {
  const length = cut(data)
  b[at] = length
  // Mostly a few bytes, for which a loop is faster.
  for (let i = 0; i < length; i++) b[at + 1 + i] = data[i]
  return at + 1 + length
}

const cut = (data: Uint8Array): number => Math.min(data.length, 255)
const NONE = new Uint8Array(0)

/** Where a number is taken apart. */
const double = new DataView(new ArrayBuffer(8))

/** One record as a frame. Byte strings over 255 bytes are cut. */
export function encodeRecord(record: LeaseRecord): Uint8Array {
  const { chaddr, clientId = NONE } = record
  const hostname = record.hostname === '' ? NONE : encodeText(record.hostname)
  const bodyLength = BODY_FIXED + 4 + cut(chaddr) + cut(clientId) + cut(hostname)
  const b = new Uint8Array(FRAME_HEADER + bodyLength)
  put16(b, 0, MARKER)
  put16(b, 2, bodyLength)
  let at = FRAME_HEADER
  b[at] = STATES.indexOf(record.state) + 1
  b[at + 1] = record.htype
  put32(b, at + 2, record.address)
  double.setFloat64(0, record.expires)
  for (let i = 0; i < 8; i++) b[at + 6 + i] = double.getUint8(i)
  at = putBytes(b, at + BODY_FIXED, chaddr)
  b[at] = record.clientId === undefined ? 0 : 1
  at = putBytes(b, at + 1, clientId)
  putBytes(b, at, hostname)
  put32(b, 4, crc32(b, FRAME_HEADER, b.length))
  return b
}

function decodeBody(b: Uint8Array, from: number, to: number): LeaseRecord | undefined {
  if (to - from < BODY_FIXED + 4) return undefined
  const state = STATES[b[from] - 1]
  const expires = new DataView(b.buffer, b.byteOffset).getFloat64(from + 6)
  if (state === undefined || Number.isNaN(expires)) return undefined
  let at = from + BODY_FIXED
  const take = (): Uint8Array | undefined => {
    if (at >= to) return undefined
    const start = at + 1
    at = start + b[at]
    return at > to ? undefined : Uint8Array.from(b.subarray(start, at))
  }
  const chaddr = take()
  if (chaddr === undefined || at >= to) return undefined
  const hasClientId = b[at++] === 1
  const clientId = take()
  const hostname = take()
  if (clientId === undefined || hostname === undefined || at !== to) return undefined
  return {
    address: u32(b, from + 2),
    state,
    expires,
    htype: b[from + 1],
    chaddr,
    clientId: hasClientId ? clientId : undefined,
    hostname: String.fromCharCode(...hostname),
  }
}

/** The end of the whole frame at `at`, or -1 if there is none. */
function frameEnd(b: Uint8Array, at: number): number {
  if (b.length - at < FRAME_HEADER || u16(b, at) !== MARKER) return -1
  const length = u16(b, at + 2)
  const end = at + FRAME_HEADER + length
  if (length > MAX_BODY || end > b.length) return -1
  return crc32(b, at + FRAME_HEADER, end) === u32(b, at + 4) ? end : -1
}

export interface Journal {
  /** In the order in which they were written, superseded ones included. */
  readonly records: LeaseRecord[]
  /** Bytes up to the end of the last whole record: where the next one goes. */
  readonly length: number
  /** Bytes behind that: a torn record. */
  readonly torn: number
  /** Bytes between whole records that made no sense. */
  readonly damaged: number
}

/** Reads a journal. `undefined` when the bytes are not the beginning of one. */
export function decodeJournal(b: Uint8Array): Journal | undefined {
  const heading = Math.min(b.length, HEADING.length)
  for (let i = 0; i < heading; i++) {
    if (b[i] !== HEADING[i]) return undefined
  }
  if (heading < HEADING.length) return { records: [], length: 0, torn: heading, damaged: 0 }
  const records: LeaseRecord[] = []
  let at = HEADING.length
  let length = at
  let damaged = 0
  while (at < b.length) {
    const end = frameEnd(b, at)
    const record = end < 0 ? undefined : decodeBody(b, at + FRAME_HEADER, end)
    if (record === undefined) {
      at = end < 0 ? at + 1 : end
      continue
    }
    damaged += at - length
    records.push(record)
    at = end
    length = end
  }
  return { records, length, torn: b.length - length, damaged }
}

/** A whole journal of these records and nothing else. */
export function encodeJournal(records: Iterable<LeaseRecord>): Uint8Array {
  return joinFrames([HEADING, ...Array.from(records, encodeRecord)])
}

/**
 * Frames in one piece, for one write.
 * @param room zeros behind them: to a reader a torn record
 */
export function joinFrames(frames: readonly Uint8Array[], room = 0): Uint8Array {
  let length = room
  for (const f of frames) length += f.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const f of frames) {
    whole.set(f, at)
    at += f.length
  }
  return whole
}
