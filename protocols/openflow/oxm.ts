/**
 * NXM and OXM headers and entries (OpenFlow 1.2 §A.2.3.2): 16 bits of class, 7 of field, 1 "has mask", 8 of
 * length, behind which stands the experimenter in class 0xffff, counted by the length.
 */

import { FIELDS, type FieldId, fieldByOxm, type MetaFlowField, oxmOf } from '../meta-flow.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, type OfFault } from './error.ts'
import { isOnes } from './match-field.ts'

const EXPERIMENTER_CLASS = 0xffff

export interface OxmHeader {
  oxmClass: number
  fieldNumber: number
  experimenter: number
  masked: boolean
  /** Bytes of value and mask together. */
  payload: number
  /** Where they begin. */
  at: number
  /** Undefined for numbers that nobody here knows, and where the length is not the field's. */
  field: MetaFlowField | undefined
  /** The number is known, but not with this length. */
  badLength: boolean
}

/** Reads the header at `o`. The payload may reach beyond `end`. */
export function readOxmHeader(b: Uint8Array, o: number, end: number): OxmHeader | OfFault {
  if (end - o < 4) return fault('OFPBMC_BAD_LEN')
  const oxmClass = u16(b, o)
  const fieldNumber = b[o + 2] >>> 1
  const masked = (b[o + 2] & 1) !== 0
  let payload = b[o + 3]
  let experimenter = 0
  let at = o + 4
  if (oxmClass === EXPERIMENTER_CLASS) {
    if (end - o < 8 || payload < 4) return fault('OFPBMC_BAD_LEN')
    experimenter = u32(b, o + 4)
    payload -= 4
    at += 4
  }
  const known = fieldByOxm(oxmClass, fieldNumber, experimenter)
  let field = known
  // A field whose length is not the header's is another field.
  if (field !== undefined && !field.variable && payload !== (masked ? 2 : 1) * field.bytes) field = undefined
  if (field?.variable && payload > (masked ? 2 : 1) * field.bytes) field = undefined
  return {
    oxmClass,
    fieldNumber,
    experimenter,
    masked,
    payload,
    at,
    field,
    badLength: known !== field && payload > 0,
  }
}

/**
 * A header that names a field in an action. `version` as for oxmOf. The length is the field's, the most
 * that it can have if it is variable, unless `bytes` says otherwise.
 */
export function putOxmHeader(
  w: ByteWriter,
  field: MetaFlowField,
  version: number,
  masked: boolean,
  bytes = field.bytes,
): void {
  const id = oxmOf(field, version)
  if (id === undefined) {
    w.u32(0)
    return
  }
  const payload = masked ? 2 * bytes : bytes
  w.u16(id.class).u8((id.field << 1) | (masked ? 1 : 0))
  if (id.class === EXPERIMENTER_CLASS) w.u8(payload + 4).u32(id.experimenter)
  else w.u8(payload)
}

/** The 32 bits by which older Nicira actions name a field, 0 where only an experimenter OXM would. */
export function nxmHeader(field: MetaFlowField): number {
  const id = oxmOf(field, 0)
  if (id === undefined || id.class === EXPERIMENTER_CLASS) return 0
  return ((id.class << 16) | (id.field << 9) | field.bytes) >>> 0
}

/** The field that such 32 bits name in an action. */
export function fieldOfNxmHeader(header: number): MetaFlowField | undefined {
  const field = fieldByOxm(header >>> 16, (header >>> 9) & 0x7f)
  if (field === undefined || (header & 0x100) !== 0) return undefined
  return field.variable || field.bytes === (header & 0xff) ? field : undefined
}

/** An entry: header, value, and mask unless it is undefined or all ones. */
export function putOxmEntry(
  w: ByteWriter,
  field: MetaFlowField,
  version: number,
  value: Uint8Array,
  mask?: Uint8Array,
): void {
  // That an option is there, whatever it says, is a mask of no bytes.
  const masked = mask !== undefined && (mask.length === 0 || !isOnes(mask))
  putOxmHeader(w, field, version, masked, value.length)
  w.raw(value)
  if (masked) w.raw(mask)
}

export function fieldOf(id: FieldId): MetaFlowField {
  return FIELDS[id]
}
