/** Fields made of named bits: +trk-new, syn|ack, 0x12/0x3f. */

import { syntaxError } from './scan.ts'

/** Names by bit, the lowest first; null for bits without. */
export type FlagNames = readonly (string | null)[]

export const TCP_FLAGS: FlagNames = [
  'fin',
  'syn',
  'rst',
  'psh',
  'ack',
  'urg',
  'ece',
  'cwr',
  'ns',
  '[200]',
  '[400]',
  '[800]',
]
export const CT_STATES: FlagNames = ['new', 'est', 'rel', 'rpl', 'inv', 'trk', 'snat', 'dnat']
export const TUNNEL_FLAGS: FlagNames = ['oam', 'df', 'csum', 'key']

function bits(flags: number): number[] {
  return Array.from({ length: 32 }, (_, i) => i).filter((i) => ((flags >>> i) & 1) === 1)
}

/** `a|b`; bits without a name in hexadecimal behind them, and 0 for none. */
export function formatFlags(names: FlagNames, flags: number): string {
  const known = bits(flags).filter((i) => typeof names[i] === 'string')
  const rest = known.reduce((f, i) => f & ~(1 << i), flags) >>> 0
  const parts = known.map((i) => names[i] as string)
  if (rest !== 0) parts.push(`0x${rest.toString(16)}`)
  return parts.length === 0 ? '0' : parts.join('|')
}

/** `+a-b`, or as formatFlags when the mask is `whole`. */
export function formatMaskedFlags(names: FlagNames, flags: number, mask: number, whole: number): string {
  if (mask === whole) return formatFlags(names, flags)
  if (mask === 0) return '0/0'
  return bits(mask)
    .map((i) => `${(flags >>> i) & 1 ? '+' : '-'}${names[i] ?? '[Unknown]'}`)
    .join('')
}

const number = (s: string): number | undefined =>
  /^(0[xX][0-9a-fA-F]+|\d+)$/.test(s) ? Number(s) : undefined

/** All three forms. `allowed`: bits that may be spoken of. A mask of 0xffffffff is returned when none was given. */
export function parseFlags(
  names: FlagNames,
  s: string,
  allowed: number,
  what: string,
): { flags: number; mask: number } {
  const unknown = (): never => syntaxError(`${s}: unknown ${what} flag(s)`)
  const [a, b, ...more] = s.split('/')
  if (b !== undefined && more.length === 0) {
    const flags = number(a) ?? unknown()
    const mask = number(b) ?? unknown()
    if (((flags | mask) & ~allowed) !== 0) unknown()
    return { flags, mask }
  }
  if (/^[+-]/.test(s)) {
    let flags = 0
    let mask = 0
    if (!/^([+-][^+-]+)+$/.test(s)) unknown()
    for (const [, sign, name] of s.matchAll(/([+-])([^+-]+)/g)) {
      const i = names.indexOf(name)
      const bit = i < 0 ? 0 : 1 << i
      if ((bit & allowed) === 0) unknown()
      if ((mask & bit) !== 0) syntaxError(`${s}: Each ${what} flag can be specified only once`)
      if (sign === '+') flags |= bit
      mask |= bit
    }
    return { flags, mask }
  }
  let flags = 0
  for (const part of s === '' ? [] : s.split('|')) {
    const i = names.indexOf(part)
    const v = number(part) ?? (i < 0 ? unknown() : 1 << i)
    if ((v & ~allowed) !== 0) unknown()
    flags |= v
  }
  return { flags, mask: 0xffff_ffff }
}
