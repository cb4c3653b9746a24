/** The property by which a select group is told how to choose: Netronome's selection method (OpenFlow 1.5, NXT). */

import { FIELDS } from '../meta-flow.ts'
import type { ByteWriter } from './byte-writer.ts'
import { u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { fixedText, putFixedText } from './fixed-text.ts'
import type { GroupCommand, GroupSelection, GroupType } from './group.ts'
import { putOxmHeader, readOxmHeader } from './oxm.ts'
import {
  endProperty,
  type Property,
  readProperty,
  startExperimenterProperty,
  unknownProperty,
} from './properties.ts'
import type { OfVersion } from './version.ts'

const NTR_VENDOR = 0x154d
/** A slip of Open vSwitch 2.4, still understood. */
const NTR_COMPAT_VENDOR = 0x1540
const SELECTION_METHOD = 1
const METHOD_LEN = 16
/** Header, padding, method and parameter. */
const FIXED_LEN = 40

export const NO_SELECTION: GroupSelection = { method: '', param: 0n, fields: [] }

function decodeFields(b: Uint8Array, o: number, end: number): GroupSelection['fields'] | OfFault {
  const fields: { field: number; mask: Uint8Array }[] = []
  while (o < end) {
    const h = readOxmHeader(b, o, end)
    if (isFault(h)) return h
    if (h.field === undefined) return fault('OFPBMC_BAD_FIELD')
    if (h.masked) return fault('OFPBMC_BAD_MASK')
    const next = h.at + h.payload
    if (next > end) return fault('OFPBMC_BAD_LEN')
    const id = h.field.id
    if (fields.some(({ field }) => field === id)) return fault('OFPBMC_DUP_FIELD')
    fields.push({ field: id, mask: b.slice(h.at, next) })
    o = next
  }
  return fields
}

function decodeSelection(b: Uint8Array, p: Property): GroupSelection | OfFault {
  if (p.end - p.start < FIXED_LEN) return fault('OFPBPC_BAD_LEN')
  const at = p.start + 16
  if (b[at + METHOD_LEN - 1] !== 0) return fault('OFPBPC_BAD_VALUE')
  const method = fixedText(b, at, METHOD_LEN)
  if (method !== 'hash' && method !== 'dp_hash') return fault('OFPBPC_BAD_VALUE')
  const first = p.start + FIXED_LEN
  if (first < p.end && method !== 'hash') return fault('OFPBPC_BAD_VALUE')
  const fields = decodeFields(b, first, p.end)
  return isFault(fields) ? fields : { method, param: u64(b, at + METHOD_LEN), fields }
}

/** The properties of a group from `o` to `end`. Only a select group that is set up may have a method. */
export function decodeGroupProperties(
  b: Uint8Array,
  o: number,
  end: number,
  type: GroupType,
  command: GroupCommand,
): GroupSelection | OfFault {
  let selection = NO_SELECTION
  while (o < end) {
    const p = readProperty(b, o, end)
    if (isFault(p)) return p
    o = p.next
    const netronome = p.experimenter === NTR_VENDOR || p.experimenter === NTR_COMPAT_VENDOR
    if (!netronome || p.expType !== SELECTION_METHOD) return unknownProperty(p)
    const setUp = command === 'add' || command === 'modify' || command === 'add_or_modify'
    if (type !== 'select' || !setUp) return fault('OFPBPC_BAD_VALUE')
    const decoded = decodeSelection(b, p)
    if (isFault(decoded)) return decoded
    selection = decoded
  }
  return selection
}

export function putGroupProperties(w: ByteWriter, s: GroupSelection, version: OfVersion): void {
  if (s.method === '') return
  const start = startExperimenterProperty(w, NTR_VENDOR, SELECTION_METHOD)
  w.u32(0)
  putFixedText(w, s.method, METHOD_LEN)
  w.u64(s.param)
  for (const { field, mask } of s.fields) {
    putOxmHeader(w, FIELDS[field], version, false, mask.length)
    w.raw(mask)
  }
  endProperty(w, start)
}
