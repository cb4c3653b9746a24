/**
 * IEEE 802.3 frames with a length instead of a type, and what they carry: LLC (IEEE 802.2, ISO 8802-2) and SNAP
 * (IEEE 802 §9.2, RFC 1042). Offsets are of the length field.
 */

import { put16, put24, u16, u24 } from './big-endian.ts'

export const LENGTH = 0
export const DSAP = 2
export const SSAP = 3
export const CONTROL = 4
export const SNAP_OUI = 5
export const SNAP_PROTOCOL = 8
/** Length field and LLC header with a one-byte control field. */
export const HEADER_LEN = 5
/** The same with SNAP. */
export const SNAP_HEADER_LEN = 10

/** Longest payload that the length field can state. */
export const LENGTH_MAX = 1500
const LLC_LEN = 3
const LLC_SNAP_LEN = 8

export const SAP_SNAP = 0xaa
/** Spanning tree: IEEE 802.1D §9. */
export const SAP_BPDU = 0x42
/** Unnumbered information. */
export const CONTROL_UI = 3
/** SNAP OUI of an encapsulated Ethernet type. */
export const OUI_ETHERNET = 0

/** Whether a length field stands at `o`, is within the frame, and covers an LLC header. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  if (end - o < HEADER_LEN) return false
  const len = u16(b, o)
  return len <= LENGTH_MAX && len >= LLC_LEN && len <= end - o - 2
}

/** LLC header and payload in bytes; padding may follow. */
export function length(b: Uint8Array, o: number): number {
  return u16(b, o + LENGTH)
}

/** Where the LLC payload ends, absolute and exclusive. */
export function end(b: Uint8Array, o: number): number {
  return o + 2 + u16(b, o + LENGTH)
}

export function dsap(b: Uint8Array, o: number): number {
  return b[o + DSAP]
}

export function ssap(b: Uint8Array, o: number): number {
  return b[o + SSAP]
}

export function control(b: Uint8Array, o: number): number {
  return b[o + CONTROL]
}

/** Whether a whole SNAP header follows; only then may its fields be read. */
export function hasSnap(b: Uint8Array, o: number): boolean {
  return (
    u16(b, o + LENGTH) >= LLC_SNAP_LEN &&
    b[o + DSAP] === SAP_SNAP &&
    b[o + SSAP] === SAP_SNAP &&
    b[o + CONTROL] === CONTROL_UI
  )
}

export function snapOui(b: Uint8Array, o: number): number {
  return u24(b, o + SNAP_OUI)
}

export function snapProtocol(b: Uint8Array, o: number): number {
  return u16(b, o + SNAP_PROTOCOL)
}

export interface Repr {
  /** LLC header and payload in bytes. */
  length: number
  dsap: number
  ssap: number
  control: number
  /** Present with both SAPs SAP_SNAP and CONTROL_UI. */
  snap?: { oui: number; protocol: number }
}

export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  const r: Repr = { length: length(b, o), dsap: dsap(b, o), ssap: ssap(b, o), control: control(b, o) }
  if (hasSnap(b, o)) r.snap = { oui: snapOui(b, o), protocol: snapProtocol(b, o) }
  return r
}

/** Writes length field, LLC and SNAP header and returns their length. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  put16(b, o + LENGTH, r.length)
  b[o + DSAP] = r.dsap
  b[o + SSAP] = r.ssap
  b[o + CONTROL] = r.control
  if (r.snap === undefined) return HEADER_LEN
  put24(b, o + SNAP_OUI, r.snap.oui)
  put16(b, o + SNAP_PROTOCOL, r.snap.protocol)
  return SNAP_HEADER_LEN
}
