/**
 * VLAN tags: IEEE 802.1Q §9. A tag is four bytes, TPID and TCI, in front of the type/length field. All offsets
 * here are of a TPID, that is, where an untagged frame has its type.
 */

import { put16, u16 } from './big-endian.ts'

export const TPID = 0
export const TCI = 2
/** The type/length field behind the tag, or the next tag's TPID. */
export const TYPE = 4
export const TAG_LEN = 4

/** C-VLAN tag. */
export const TPID_8021Q = 0x8100
/** S-VLAN tag, IEEE 802.1ad. */
export const TPID_8021AD = 0x88a8

/** VLAN ids that a tag may name as a VLAN; 0 is a priority tag and 4095 is reserved: table 9-2. */
export const VID_MIN = 1
export const VID_MAX = 4094

/** Tags looked behind in one frame; a type that still is a TPID is left as it is. */
export const MAX_TAGS = 8

export function isTpid(type: number): boolean {
  return type === TPID_8021Q || type === TPID_8021AD
}

/** Whether a tag stands at `o` and the type behind it fits. */
export function check(b: Uint8Array, o: number, end: number): boolean {
  return end - o >= TAG_LEN + 2 && isTpid(u16(b, o))
}

export function tpid(b: Uint8Array, o: number): number {
  return u16(b, o + TPID)
}

export function tci(b: Uint8Array, o: number): number {
  return u16(b, o + TCI)
}

/** VLAN id, 0 for a priority tag. */
export function vid(b: Uint8Array, o: number): number {
  return u16(b, o + TCI) & 0xfff
}

/** Drop eligible indicator (the CFI of older editions). */
export function dei(b: Uint8Array, o: number): boolean {
  return (b[o + TCI] & 0x10) !== 0
}

/** Priority code point, 0–7. */
export function pcp(b: Uint8Array, o: number): number {
  return b[o + TCI] >>> 5
}

/** Type/length field behind this tag. */
export function innerType(b: Uint8Array, o: number): number {
  return u16(b, o + TYPE)
}

export function setTci(b: Uint8Array, o: number, v: number): void {
  put16(b, o + TCI, v)
}

/** Changes the VLAN id and keeps the priority. */
export function setVid(b: Uint8Array, o: number, vid: number): void {
  put16(b, o + TCI, (u16(b, o + TCI) & 0xf000) | vid)
}

export function makeTci(vid: number, pcp = 0, dei = false): number {
  return (pcp << 13) | (dei ? 0x1000 : 0) | vid
}

/**
 * Where the type/length field behind all tags is. `end - o` must be at least 2.
 * @param o of the type/length field behind the Ethernet addresses
 */
export function skip(b: Uint8Array, o: number, end: number): number {
  for (let n = 0; n < MAX_TAGS && check(b, o, end); n++) o += TAG_LEN
  return o
}

/**
 * Pushes a tag in front of a frame's type by moving the two addresses four bytes to the front, into headroom.
 * @param frame offset of the Ethernet header
 * @returns the new offset of the Ethernet header
 */
export function push(b: Uint8Array, frame: number, tpid: number, tci: number): number {
  b.copyWithin(frame - TAG_LEN, frame, frame + 12)
  put16(b, frame + 8, tpid)
  put16(b, frame + 10, tci)
  return frame - TAG_LEN
}

/**
 * Pops the outermost tag, for which `check(b, frame + 12, …)` holds.
 * @returns the new offset of the Ethernet header
 */
export function pop(b: Uint8Array, frame: number): number {
  b.copyWithin(frame + TAG_LEN, frame, frame + 12)
  return frame + TAG_LEN
}

export interface Repr {
  /** TPID_8021Q or TPID_8021AD. */
  tpid: number
  vid: number
  pcp: number
  dei: boolean
  /** Type/length field behind the tag. */
  innerType: number
}

/** The tag at `o`. */
export function parse(b: Uint8Array, o: number, end: number): Repr | undefined {
  if (!check(b, o, end)) return undefined
  return { tpid: tpid(b, o), vid: vid(b, o), pcp: pcp(b, o), dei: dei(b, o), innerType: innerType(b, o) }
}

/** All tags from the outermost, at most MAX_TAGS. */
export function parseAll(b: Uint8Array, o: number, end: number): Repr[] {
  const tags: Repr[] = []
  while (tags.length < MAX_TAGS) {
    const tag = parse(b, o, end)
    if (tag === undefined) break
    tags.push(tag)
    o += TAG_LEN
  }
  return tags
}

/** Writes the tag and the type behind it; returns the tag's length, so that the next may follow over that type. */
export function emit(r: Repr, b: Uint8Array, o: number): number {
  put16(b, o + TPID, r.tpid)
  put16(b, o + TCI, makeTci(r.vid, r.pcp, r.dei))
  put16(b, o + TYPE, r.innerType)
  return TAG_LEN
}
