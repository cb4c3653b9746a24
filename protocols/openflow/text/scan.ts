/** The little grammar of ovs-ofctl(8)'s flows, actions and their arguments: keys with values, numbers, addresses. */

/** What was written is not a flow, an action, a value … The message says what and why, as ovs-ofctl does. */
export class FlowSyntaxError extends Error {
  override name = 'FlowSyntaxError'
}

export function syntaxError(message: string): never {
  throw new FlowSyntaxError(message)
}

const BLANK = ', \t\r\n'
const KEY_END = ':=(, \t\r\n'

/** Where a value that begins at `o` ends: at one of `delimiters`, but not inside parentheses. */
function valueEnd(s: string, o: number, delimiters: string): number {
  while (o < s.length && !delimiters.includes(s[o])) {
    if (s[o] !== '(') {
      o++
      continue
    }
    let level = 0
    do {
      if (o >= s.length) return o
      if (s[o] === '(') level++
      else if (s[o] === ')') level--
      o++
    } while (level > 0)
  }
  return o
}

/**
 * Splits `a=1,b:2 c(3,4),d` into keys and values; what has no value has the empty one. In `a(x)->y` the value
 * is `x)->y`.
 */
export function* keyValues(s: string): Generator<readonly [key: string, value: string]> {
  let o = 0
  for (;;) {
    while (o < s.length && BLANK.includes(s[o])) o++
    if (o >= s.length) return
    let keyEnd = o
    while (keyEnd < s.length && !KEY_END.includes(s[keyEnd])) keyEnd++
    const key = s.slice(o, keyEnd)
    const delimiter = s[keyEnd] ?? ''
    o = keyEnd + 1
    if (delimiter !== ':' && delimiter !== '=' && delimiter !== '(') {
      yield [key, '']
      continue
    }
    const delimiters = delimiter === '(' ? ')' : BLANK
    let end = valueEnd(s, o, delimiters)
    if (delimiter === '(' && s.startsWith(')->', end)) end = valueEnd(s, end, BLANK)
    yield [key, s.slice(o, end)]
    o = end + 1
  }
}

const U64 = 1n << 64n

/** A number as C's strtoull reads it with base 0: decimal, 0x hexadecimal, 0 octal, a sign. */
export function parseBig(s: string): bigint | undefined {
  const m = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|\d+)$/.exec(s)
  if (m === null) return undefined
  const [, sign, digits] = m
  const octal = /^0[0-7]+$/.test(digits)
  if (!octal && /^0\d/.test(digits)) return undefined
  const v = BigInt(octal ? `0o${digits.slice(1)}` : digits)
  if (v >= U64) return undefined
  return sign === '-' ? BigInt.asUintN(64, -v) : v
}

/** A number of `bits` bits at most, called `name` in the complaint. */
export function parseUint(s: string, bits: number, name: string): number {
  const v = parseBig(s)
  if (v === undefined || v >> BigInt(bits) !== 0n) syntaxError(`invalid ${name} "${s}"`)
  return Number(v)
}

export function parseUint64(s: string, name: string): bigint {
  return parseBig(s) ?? syntaxError(`invalid ${name} "${s}"`)
}

/** C's atoi: digits at the front, else 0. */
export function atoi(s: string): number {
  return Number(/^\s*[+-]?\d+/.exec(s)?.[0] ?? 0)
}

/** Hexadecimal of any length with 0x, else up to 64 bits, into `bytes` bytes. */
export function parseIntBytes(s: string, bytes: number): Uint8Array | undefined {
  let v: bigint | undefined
  const hex = /^0[xX]([0-9a-fA-F\s]*)$/.exec(s)
  if (hex === null) v = parseBig(s)
  else v = BigInt(`0x0${hex[1].replace(/\s/g, '')}`)
  if (v === undefined || v >> BigInt(8 * bytes) !== 0n) return undefined
  const out = new Uint8Array(bytes)
  for (let i = bytes - 1; i >= 0; i--) {
    out[i] = Number(v & 0xffn)
    v >>= 8n
  }
  return out
}

/** 0x without leading zeros. */
export function formatHex(b: Uint8Array): string {
  let s = ''
  for (const x of b) s += x.toString(16).padStart(2, '0')
  s = s.replace(/^0+/, '')
  return s === '' ? '0' : `0x${s}`
}

/** Bytes from hexadecimal digits in pairs, with blanks and dots between them allowed. */
export function parseHexBytes(s: string, what: string): Uint8Array {
  const out: number[] = []
  let o = 0
  for (;;) {
    while (o < s.length && ' \t\r\n.'.includes(s[o])) o++
    if (o >= s.length) return Uint8Array.from(out)
    const pair = s.slice(o, o + 2)
    if (!/^[0-9a-fA-F]{2}$/.test(pair)) syntaxError(`bad hex digit in ${what}`)
    out.push(Number.parseInt(pair, 16))
    o += 2
  }
}

/** 00.01.ff */
export function formatHexBytes(b: Uint8Array): string {
  return Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('.')
}

/** `%#x`: 0 has no 0x. */
export function formatHash(v: number | bigint): string {
  return v === 0 || v === 0n ? '0' : `0x${v.toString(16)}`
}
