/** Headers of actions: OpenFlow 1.0 §5.2.4, and of Nicira's, which are vendor (experimenter) actions. */

import { FIELDS } from '../meta-flow.ts'
import type { Subfield } from './action.ts'
import type { ByteWriter } from './byte-writer.ts'
import { NX_VENDOR } from './error.ts'
import { nxmHeader, putOxmHeader } from './oxm.ts'

/** OFPAT_VENDOR, later OFPAT_EXPERIMENTER. */
export const OFPAT_EXPERIMENTER = 0xffff

/** Writes the header of a standard action and returns where it begins. */
export function beginAction(w: ByteWriter, type: number): number {
  w.u16(type).u16(0)
  return w.length - 4
}

/** Writes the ten bytes with which a Nicira action begins. */
export function beginNicira(w: ByteWriter, subtype: number): number {
  w.u16(OFPAT_EXPERIMENTER).u16(0).u32(NX_VENDOR).u16(subtype)
  return w.length - 10
}

/** Pads an action to 8 bytes and fills in its length. Encoders return their writer. */
export function endAction(w: ByteWriter, start: number): ByteWriter {
  w.pad8(start)
  return w.patch16(start + 2, w.length - start)
}

/** `ofs << 6 | n_bits - 1`. */
export function ofsNbits({ ofs, nBits }: Subfield): number {
  return (ofs << 6) | (nBits - 1)
}

export function headerOf({ field }: Subfield): number {
  return nxmHeader(FIELDS[field])
}

export function putFieldHeader(w: ByteWriter, { field }: Subfield, version: number): void {
  putOxmHeader(w, FIELDS[field], version, false)
}
