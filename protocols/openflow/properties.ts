/**
 * Properties, the type-length-value lists of OpenFlow 1.3 and later (and of Nicira's messages): 16 bits of type,
 * 16 of length without the padding to 8 bytes that follows; experimenter properties have the experimenter and its
 * type behind that.
 */

import { u16, u32 } from '../wire/big-endian.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, type OfFault } from './error.ts'

export interface Property {
  type: number
  /** 0 unless it is an experimenter's. */
  experimenter: number
  /** Of the experimenter. */
  expType: number
  /** Where it begins, header included. */
  start: number
  /** Where its content begins and ends. */
  at: number
  end: number
  /** Where the next one begins. */
  next: number
}

/** Reads the property at `o`. `firstExperimenter` is the least type that experimenters use. */
export function readProperty(
  b: Uint8Array,
  o: number,
  end: number,
  firstExperimenter = 0xffff,
): Property | OfFault {
  if (end - o < 4) return fault('OFPBPC_BAD_LEN')
  const type = u16(b, o)
  const length = u16(b, o + 2)
  const next = o + ((length + 7) & ~7)
  if (length < 4 || next > end) return fault('OFPBPC_BAD_LEN')
  if (type < firstExperimenter) {
    return { type, experimenter: 0, expType: 0, start: o, at: o + 4, end: o + length, next }
  }
  if (length < 12) return fault('OFPBPC_BAD_LEN')
  const experimenter = u32(b, o + 4)
  // Nobody has number 0: it would be mistaken for a standard property.
  if (experimenter === 0) return fault('OFPBPC_BAD_EXPERIMENTER')
  return { type, experimenter, expType: u32(b, o + 8), start: o, at: o + 12, end: o + length, next }
}

/** What to say of a property that is not known where it may not be ignored. */
export function unknownProperty(p: Property): OfFault {
  return fault(p.experimenter === 0 ? 'OFPBPC_BAD_TYPE' : 'OFPBPC_BAD_EXP_TYPE')
}

/** Writes a property's header; hand what it returns to endProperty when the content is written. */
export function startProperty(w: ByteWriter, type: number): number {
  const start = w.length
  w.u16(type).u16(0)
  return start
}

export function startExperimenterProperty(
  w: ByteWriter,
  experimenter: number,
  expType: number,
  type = 0xffff,
): number {
  const start = startProperty(w, type)
  w.u32(experimenter).u32(expType)
  return start
}

/** Writes the length and pads to 8 bytes. */
export function endProperty(w: ByteWriter, start: number): void {
  w.patch16(start + 2, w.length - start)
  w.pad8(start)
}

export function putBytesProperty(w: ByteWriter, type: number, content: Uint8Array): void {
  const start = startProperty(w, type)
  w.raw(content)
  endProperty(w, start)
}

/** 8 and 16 bits: the length ends behind them, the padding does not count. */
export function putU8Property(w: ByteWriter, type: number, value: number): void {
  putBytesProperty(w, type, Uint8Array.of(value))
}

export function putU32Property(w: ByteWriter, type: number, value: number): void {
  w.u16(type).u16(8).u32(value)
}

/** 64 bits stand at a multiple of 8, with 4 bytes of padding in front that count. */
export function putU64Property(w: ByteWriter, type: number, value: bigint): void {
  w.u16(type).u16(16).u32(0).u64(value)
}

/** Content that stands at a multiple of 8 like putU64Property's: nested properties and actions. */
export function startNestedProperty(w: ByteWriter, type: number): number {
  const start = startProperty(w, type)
  w.u32(0)
  return start
}

/** Where nested content begins, or undefined if the property is too short for its padding. */
export function nestedAt(p: Property): number | undefined {
  const at = p.start + ((p.at - p.start + 7) & ~7)
  return at <= p.end ? at : undefined
}
