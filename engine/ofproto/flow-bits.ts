/**
 * Runs of bits in the words of a flow: what subfields of actions read and write. A flow is one string of bits,
 * the most significant bit of word 0 first, as meta-flow.ts counts them.
 */
import type { MetaFlowField } from '../../protocols/meta-flow.ts'

/**
 * Where the first bit of a subfield that flows store stands, how many there are, and how many bits of the subfield
 * lie below. Nearly always that is the whole subfield; of arp_op only a byte is stored, and of nw_tos the DSCP.
 */
function stored(
  { at, width, bits, low }: MetaFlowField,
  ofs: number,
  nBits: number,
): [number, number, number] {
  const end = low + Math.min(width, bits)
  const from = Math.max(ofs, low)
  const to = Math.min(ofs + nBits, end)
  return [at + width + low - to, Math.max(0, to - from), from - ofs]
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
  const [first, n, below] = stored(field, ofs, nBits)
  copyBits(words, first, to, end - below - n, n)
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
  const [first, n, below] = stored(field, ofs, nBits)
  copyBits(from, end - below - n, words, first, n)
}

/** Sets a subfield to 1s. */
export function fillSubfield(words: Uint32Array, field: MetaFlowField, ofs: number, nBits: number): void {
  const [first, n] = stored(field, ofs, nBits)
  fillBits(words, first, n)
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

/** Copies `nBits` bits; the two runs may overlap. */
export function copyBits(from: Uint32Array, at: number, to: Uint32Array, toAt: number, nBits: number): void {
  const kept: number[] = []
  for (let done = 0; done < nBits; done += 32)
    kept.push(readBits(from, at + done, Math.min(32, nBits - done)))
  for (let i = 0; i < kept.length; i++) {
    writeBits(to, toAt + 32 * i, Math.min(32, nBits - 32 * i), kept[i])
  }
}
