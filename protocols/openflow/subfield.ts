/** Runs of bits in the bytes of a value, counted from its least significant bit. */

import { FIELDS } from '../meta-flow.ts'
import type { Subfield } from './action.ts'
import { fault, type OfErrorName, type OfFault } from './error.ts'

export function getBit(b: Uint8Array, bit: number): number {
  return (b[b.length - 1 - (bit >>> 3)] >>> (bit & 7)) & 1
}

export function setBit(b: Uint8Array, bit: number): void {
  b[b.length - 1 - (bit >>> 3)] |= 1 << (bit & 7)
}

/** `nBits` bits of `b` from bit `ofs`. */
export function getBits(b: Uint8Array, ofs: number, nBits: number): bigint {
  let v = 0n
  for (let i = nBits - 1; i >= 0; i--) v = (v << 1n) | BigInt(getBit(b, ofs + i))
  return v
}

/** Puts the low `nBits` bits of `v` into `b` from bit `ofs` on, which must be 0 there. */
export function putBits(b: Uint8Array, ofs: number, nBits: number, v: bigint): void {
  for (let i = 0; i < nBits; i++) if (((v >> BigInt(i)) & 1n) === 1n) setBit(b, ofs + i)
}

/** A big-endian number of `n` bytes; higher bits are lost. */
export function bytesOf(v: bigint, n: number): Uint8Array {
  const b = new Uint8Array(n)
  for (let i = n - 1; i >= 0; i--) {
    b[i] = Number(v & 0xffn)
    v >>= 8n
  }
  return b
}

export function bigOf(b: Uint8Array): bigint {
  let v = 0n
  for (const x of b) v = (v << 8n) | BigInt(x)
  return v
}

/** A value's significant bytes, at least one. */
export function trimZeros(b: Uint8Array, n = significant(b)): Uint8Array {
  return b.subarray(b.length - n)
}

export function significant(b: Uint8Array): number {
  const first = b.findIndex((x) => x !== 0)
  return first < 0 ? 1 : b.length - first
}

/** Runs of at most 64 one bits in a mask of `bits` bits, the lowest first. */
export function* segments(mask: Uint8Array, bits: number): Generator<{ ofs: number; nBits: number }> {
  let ofs = 0
  while (ofs < bits) {
    if (getBit(mask, ofs) === 0) {
      ofs++
      continue
    }
    let nBits = 1
    while (nBits < 64 && ofs + nBits < bits && getBit(mask, ofs + nBits) === 1) nBits++
    yield { ofs, nBits }
    ofs += nBits
  }
}

/** Why bits of a field cannot be read. */
export function sourceRefusal({ field, ofs, nBits }: Subfield): OfErrorName | undefined {
  const { bits } = FIELDS[field]
  return nBits === 0 || ofs + nBits > bits ? 'OFPBAC_BAD_SET_LEN' : undefined
}

/** Why they cannot be written. */
export function destinationRefusal(s: Subfield): OfErrorName | undefined {
  return sourceRefusal(s) ?? (FIELDS[s.field].writable ? undefined : 'OFPBAC_BAD_SET_ARGUMENT')
}

export function checkSource(s: Subfield): Subfield | OfFault {
  const error = sourceRefusal(s)
  return error === undefined ? s : fault(error)
}

export function checkDestination(s: Subfield): Subfield | OfFault {
  const error = destinationRefusal(s)
  return error === undefined ? s : fault(error)
}
