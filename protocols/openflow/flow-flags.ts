/** Flags of flows: which of them a version has, and at which bit. */

import { fault, type OfFault } from './error.ts'
import {
  FF_CHECK_OVERLAP,
  FF_EMERG,
  FF_NO_BYT_COUNTS,
  FF_NO_PKT_COUNTS,
  FF_RESET_COUNTS,
  FF_SEND_FLOW_REM,
} from './flow-mod.ts'
import { OF10, OF11, OF12, OF13, type OfVersion } from './version.ts'

/** OFPFF_EMERG in 1.0 has the bit of OFPFF_RESET_COUNTS from 1.2 on. */
const EMERG10 = 1 << 2

function known(version: OfVersion): number {
  let flags = FF_SEND_FLOW_REM | FF_CHECK_OVERLAP
  if (version >= OF12) flags |= FF_RESET_COUNTS
  if (version >= OF13) flags |= FF_NO_PKT_COUNTS | FF_NO_BYT_COUNTS
  return flags
}

/** `add`: of a flow-mod that adds, which in 1.0 and 1.1 always resets the counters. */
export function decodeFlowFlags(bits: number, version: OfVersion, add: boolean): number | OfFault {
  let flags = bits & known(version)
  let rest = bits & ~known(version)
  if (version === OF10 && (rest & EMERG10) !== 0) {
    flags |= FF_EMERG
    rest &= ~EMERG10
  }
  if (rest !== 0) return fault('OFPFMFC_BAD_FLAGS')
  return add && version <= OF11 ? flags | FF_RESET_COUNTS : flags
}

export function encodeFlowFlags(flags: number, version: OfVersion): number {
  const emerg = version === OF10 && (flags & FF_EMERG) !== 0 ? EMERG10 : 0
  return (flags & known(version)) | emerg
}
