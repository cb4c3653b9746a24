/**
 * Runs of bits in the words of a flow: what subfields of actions read and write. A flow is one string of bits,
 * the most significant bit of word 0 first, as meta-flow.ts counts them.
 */
import { FLOW_WORDS } from '../../protocols/flow-key.ts'
import type { MetaFlowField } from '../../protocols/meta-flow.ts'

/*
 * Nearly always flows store the whole of a subfield; of arp_op they store only a byte, and of nw_tos the DSCP.
 */

/** One past the highest bit of a subfield that is stored, counted in the field. */
function storedTo({ width, bits, low }: MetaFlowField, ofs: number, nBits: number): number {
  return Math.min(ofs + nBits, low + Math.min(width, bits))
}

/** Where the first bit that is stored stands. */
function storedAt(field: MetaFlowField, ofs: number, nBits: number): number {
  return field.at + field.width + field.low - storedTo(field, ofs, nBits)
}

/** How many bits are stored. */
function storedBits(field: MetaFlowField, ofs: number, nBits: number): number {
  return Math.max(0, storedTo(field, ofs, nBits) - Math.max(ofs, field.low))
}

/** How many bits of the subfield lie below those. */
function bitsBelow({ low }: MetaFlowField, ofs: number): number {
  return Math.max(0, low - ofs)
}

/** Copies a subfield into the `nBits` bits before bit `end`; what is not stored of it is 0. */
export function readSubfieldBits(
  words: Uint32Array,
  field: MetaFlowField,
  ofs: number,
  nBits: number,
  to: Uint32Array,
  end: number,
): void {
  for (let done = 0; done < nBits; done += 32) {
    const n = Math.min(32, nBits - done)
    writeBits(to, end - done - n, n, 0)
  }
  const n = storedBits(field, ofs, nBits)
  copyBits(words, storedAt(field, ofs, nBits), to, end - bitsBelow(field, ofs) - n, n)
}

/** Copies the `nBits` bits before bit `end` into a subfield. */
export function writeSubfieldBits(
  words: Uint32Array,
  field: MetaFlowField,
  ofs: number,
  nBits: number,
  from: Uint32Array,
  end: number,
): void {
  const n = storedBits(field, ofs, nBits)
  copyBits(from, end - bitsBelow(field, ofs) - n, words, storedAt(field, ofs, nBits), n)
}

/** Sets a subfield to 1s. */
export function fillSubfield(words: Uint32Array, field: MetaFlowField, ofs: number, nBits: number): void {
  fillBits(words, storedAt(field, ofs, nBits), storedBits(field, ofs, nBits))
}

/** Up to 32 bits from bit `at` on, as an unsigned number. */
export function readBits(words: Uint32Array, at: number, nBits: number): number {
  const w = at >>> 5
  const left = 32 - (at & 31)
  if (nBits <= left) return nBits === 32 ? words[w] : (words[w] >>> (left - nBits)) & ((1 << nBits) - 1)
  const rest = nBits - left
  const high = left === 32 ? words[w] : words[w] & ((1 << left) - 1)
  return ((high << rest) | (words[w + 1] >>> (32 - rest))) >>> 0
}

/** Writes the low `nBits` bits (up to 32) of `value` from bit `at` on. */
export function writeBits(words: Uint32Array, at: number, nBits: number, value: number): void {
  const w = at >>> 5
  const left = 32 - (at & 31)
  if (nBits <= left) {
    const shift = left - nBits
    const mask = nBits === 32 ? -1 : ((1 << nBits) - 1) << shift
    words[w] = ((words[w] & ~mask) | ((value << shift) & mask)) >>> 0
    return
  }
  const rest = nBits - left
  writeBits(words, at, left, value >>> rest)
  writeBits(words, at + left, rest, value)
}

/** Sets `nBits` bits from bit `at` on to 1. */
export function fillBits(words: Uint32Array, at: number, nBits: number): void {
  for (let done = 0; done < nBits; done += 32) {
    writeBits(words, at + done, Math.min(32, nBits - done), 0xffff_ffff)
  }
}

/** What is being copied. */
const kept = new Uint32Array(FLOW_WORDS)

/** Copies `nBits` bits, as many as a flow has at the most; the two runs may overlap. */
export function copyBits(from: Uint32Array, at: number, to: Uint32Array, toAt: number, nBits: number): void {
  for (let done = 0; done < nBits; done += 32) {
    kept[done >>> 5] = readBits(from, at + done, Math.min(32, nBits - done))
  }
  for (let done = 0; done < nBits; done += 32) {
    writeBits(to, toAt + done, Math.min(32, nBits - done), kept[done >>> 5])
  }
}
