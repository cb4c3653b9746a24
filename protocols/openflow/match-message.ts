/** Matches as parts of messages: each version's own, and Nicira's behind its length. */

import { u16 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import type { Match } from './match.ts'
import {
  type CookieMatch,
  type DecodedMatch,
  decodeOxmFields,
  decodeOxmMatch,
  encodeOxmMatch,
  type OxmDecodeOptions,
} from './match-nxm.ts'
import { decodeOf11Match, encodeOf11Match, OF11_MATCH_LEN } from './match-of11.ts'
import { OF11, type OfVersion } from './version.ts'

export interface PulledMatch {
  match: Match
  cookie?: CookieMatch | undefined
  /** Where the message goes on behind the padding. */
  next: number
}

const STANDARD = 0

/** The ofp_match at `o` of OpenFlow 1.1 and later, standard or OXM. */
export function pullMatch(
  b: Uint8Array,
  o: number,
  end: number,
  options?: OxmDecodeOptions,
): PulledMatch | OfFault {
  if (end - o < 4) return fault('OFPBMC_BAD_LEN')
  if (u16(b, o) !== STANDARD) return decodeOxmMatch(b, o, end, options)
  if (end - o < OF11_MATCH_LEN) return fault('OFPBMC_BAD_LEN')
  const match = decodeOf11Match(b, o)
  return isFault(match) ? match : { match, next: o + OF11_MATCH_LEN }
}

export function putMatch(w: ByteWriter, match: Match, version: OfVersion): void {
  if (version === OF11) encodeOf11Match(w, match)
  else encodeOxmMatch(w, match, version)
}

/** The entries in Nicira's messages: `length` bytes and padding to 8. */
export function pullNxm(
  b: Uint8Array,
  o: number,
  length: number,
  end: number,
  options?: OxmDecodeOptions,
): (DecodedMatch & { next: number }) | OfFault {
  const next = o + ((length + 7) & ~7)
  if (next > end) return fault('OFPBMC_BAD_LEN')
  const decoded = decodeOxmFields(b, o, o + length, options)
  return isFault(decoded) ? decoded : { match: decoded.match, cookie: decoded.cookie, next }
}
