/** RFC 7047 §5.1: the five atomic types, their order and their defaults. */

import { ZERO_UUID } from './uuid.ts'

export type AtomicType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid'

export const ATOMIC_TYPES: readonly AtomicType[] = ['integer', 'real', 'boolean', 'string', 'uuid']

/**
 * An integer is a number while that is exact and a bigint beyond; a real is a number; a UUID is its lower-case
 * text. Two atoms of a type are equal if and only if they are `===`.
 */
export type Atom = number | bigint | boolean | string

const DEFAULTS: { readonly [T in AtomicType]: Atom } = {
  integer: 0,
  real: 0,
  boolean: false,
  string: '',
  uuid: ZERO_UUID,
}

export function defaultAtom(type: AtomicType): Atom {
  return DEFAULTS[type]
}

/** The order in which sets and maps are kept; strings by their UTF-8 bytes. */
export function compareAtoms(a: Atom, b: Atom): number {
  if (a === b) return 0
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  return a < b ? -1 : 1
}

/** As the UTF-8 bytes compare: characters beyond U+FFFF, two surrogates in UTF-16, come after all others. */
function compareText(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const xSurrogate = x >= 0xd800 && x <= 0xdfff
    const ySurrogate = y >= 0xd800 && y <= 0xdfff
    if (xSurrogate !== ySurrogate) return xSurrogate ? 1 : -1
    return x - y
  }
  return a.length - b.length
}

const BARE = /^[A-Za-z_][A-Za-z_0-9.-]*$/
const LOOKS_LIKE_UUID = /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/

/** As Open vSwitch's tools print an atom: a string in quotes only where it would be taken for something else. */
export function atomText(atom: Atom, type: AtomicType): string {
  if (type === 'real') return realText(Number(atom))
  if (type !== 'string') return String(atom)
  const text = String(atom)
  const bare = BARE.test(text) && text !== 'true' && text !== 'false' && !LOOKS_LIKE_UUID.test(text)
  return bare ? text : JSON.stringify(text)
}

/** Fifteen significant digits, as C's "%.15g" prints them. */
function realText(real: number): string {
  const [mantissa, exponentText] = real.toExponential(14).split('e')
  const exponent = Number(exponentText)
  if (exponent >= -4 && exponent < 15) return withoutTrailingZeros(real.toFixed(Math.max(0, 14 - exponent)))
  const digits = String(Math.abs(exponent)).padStart(2, '0')
  return `${withoutTrailingZeros(mantissa)}e${exponent < 0 ? '-' : '+'}${digits}`
}

function withoutTrailingZeros(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits
}
