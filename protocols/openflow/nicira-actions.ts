/** Which of Nicira's actions there are, how long they are, and which versions of OpenFlow have them. */

import { CT_FIXED, NAT_FIXED } from './ct-codec.ts'
import { OF10, OF13, OF14, OF15, type OfVersion } from './version.ts'

/** Length, negative for "at least"; the versions that have it. */
type Form = readonly [length: number, last?: OfVersion, first?: OfVersion]

const FORMS: Readonly<Record<number, Form>> = {
  1: [16],
  2: [16],
  4: [16, OF10],
  5: [16],
  6: [-16, OF14],
  7: [24, OF14],
  8: [-16],
  9: [24],
  10: [32],
  12: [-32],
  13: [-32],
  14: [16],
  15: [24],
  16: [-32],
  17: [16],
  18: [16, OF10],
  19: [16],
  20: [16],
  21: [-16],
  22: [32],
  23: [16, OF10],
  24: [16, OF10],
  25: [16, OF10],
  26: [16, OF10],
  27: [24],
  28: [24],
  29: [24],
  30: [16, OF10],
  31: [16, OF10],
  32: [24],
  33: [-16, OF14],
  34: [16],
  35: [-CT_FIXED],
  36: [-NAT_FIXED],
  37: [-16],
  38: [32],
  39: [16],
  40: [16, OF10],
  41: [32],
  42: [-16],
  43: [16],
  44: [16],
  45: [-40],
  46: [-16, OF15, OF13],
  47: [-16, OF15, OF13],
  48: [16, OF15, OF13],
  49: [24],
  50: [24],
}

/** Length of an action by its subtype, negative for "at least"; 0 if the version does not have it. */
export function niciraLength(subtype: number, version: OfVersion): number {
  const form = FORMS[subtype]
  if (form === undefined) return 0
  const [length, last = OF15, first = OF10] = form
  return version < first || version > last ? 0 : length
}
