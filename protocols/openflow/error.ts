/**
 * OpenFlow errors as values, by the names they have in Open vSwitch, and the numbers that stand for a name in a
 * version of OpenFlow.
 */

import { ERROR_CODES } from './error-codes.ts'
import { OF10, type OfVersion } from './version.ts'

export type OfErrorName = keyof typeof ERROR_CODES

/** What a decoder returns instead of a value. */
export interface OfFault {
  error: OfErrorName
}

const faults = new Map<OfErrorName, OfFault>()

/** One object per name, so that refusing costs nothing. */
export function fault(error: OfErrorName): OfFault {
  let f = faults.get(error)
  if (f === undefined) {
    f = { error }
    faults.set(error, f)
  }
  return f
}

export function isFault(x: unknown): x is OfFault {
  return typeof x === 'object' && x !== null && 'error' in x
}

export const NX_VENDOR = 0x0000_2320
export const ONF_VENDOR = 0x4f4e_4600
/** Error type of a vendor error in OpenFlow 1.0 and 1.1 (struct nx_vendor_error: vendor, type, code). */
export const NXET_VENDOR = 0xb0c2
/** Error type OFPET_EXPERIMENTER from OpenFlow 1.2 on: exp_type stands in the code's place, then the experimenter. */
export const OFPET_EXPERIMENTER = 0xffff

/** An error message's numbers. With a vendor they stand in an NXET_VENDOR (type, code) or OFPET_EXPERIMENTER (code) error. */
export interface ErrorNumbers {
  /** 0 for standard errors. */
  vendor: number
  type: number
  code: number
}

interface Placement extends ErrorNumbers {
  first: number
  last: number
}

interface Numbering {
  readonly placements: ReadonlyMap<OfErrorName, readonly Placement[]>
  readonly byNumbers: ReadonlyMap<string, OfErrorName>
}

const key = (version: number, n: ErrorNumbers): string => `${version}:${n.vendor}:${n.type}:${n.code}`

/** Read when there is an error: most who load this see none for long. */
let known: Numbering | undefined

function numbering(): Numbering {
  known ??= readNumbering()
  return known
}

function readNumbering(): Numbering {
  const placements = new Map<OfErrorName, readonly Placement[]>()
  const byNumbers = new Map<string, OfErrorName>()
  for (const [name, text] of Object.entries(ERROR_CODES)) {
    const list: Placement[] = []
    for (const [, org, from, open, to, a, b] of text.matchAll(
      /(OF|NX|ONF)1\.(\d)(?:(\+)|-1\.(\d))?\((\d+)(?:,(\d+))?\)/g,
    )) {
      const first = Number(from) + OF10
      const last = open === undefined ? Number(to ?? from) + OF10 : 6
      const vendor = org === 'OF' ? 0 : org === 'NX' ? NX_VENDOR : ONF_VENDOR
      const numbers =
        b === undefined ? { type: OFPET_EXPERIMENTER, code: Number(a) } : { type: Number(a), code: Number(b) }
      list.push({ vendor, ...numbers, first, last })
    }
    placements.set(name as OfErrorName, list)
    for (const p of list) {
      for (let v = p.first; v <= p.last; v++) {
        const k = key(v, p)
        if (!byNumbers.has(k)) byNumbers.set(k, name as OfErrorName)
      }
    }
  }
  return { placements, byNumbers }
}

/** Undefined where the version cannot say it (Open vSwitch then sends NXBRC_UNENCODABLE_ERROR). */
export function errorNumbers(name: OfErrorName, version: OfVersion): ErrorNumbers | undefined {
  return numbering()
    .placements.get(name)
    ?.find((p) => p.first <= version && version <= p.last)
}

export function errorByNumbers(numbers: ErrorNumbers, version: OfVersion): OfErrorName | undefined {
  return numbering().byNumbers.get(key(version, numbers))
}
