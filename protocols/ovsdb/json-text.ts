/**
 * JSON (RFC 8259) as OVSDB reads and writes it: integers are exact in 64 bits. A number without fraction, however it
 * is written, is a JavaScript number while that is safe and a bigint up to the ends of int64; any other number is the
 * nearest double, and such as have none (1e999) are errors. Strings cannot hold U+0000.
 */

import { encodeUtf8 } from '../wire/utf8.ts'

export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [name: string]: Json }
export type JsonObject = { readonly [name: string]: Json }

export function isJsonObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What is wrong with a text, and where: `line` from 1, `column` from 0, `byte` from 0, all of the value's text. */
export class JsonError extends Error {
  readonly line: number
  readonly column: number
  readonly byte: number

  /** @param before the text up to the place */
  constructor(what: string, before: string) {
    const line = before.split('\n').length
    const column = before.length - (before.lastIndexOf('\n') + 1)
    const byte = encodeUtf8(before).length
    super(`line ${line}, column ${column}, byte ${byte}: ${what}`)
    this.name = 'JsonError'
    this.line = line
    this.column = column
    this.byte = byte
  }
}

/** Objects and arrays within each other. */
export const MAX_JSON_DEPTH = 1000

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** The value of a whole text. @throws JsonError */
export function parseJson(text: string): Json {
  return new Reader(text).whole()
}

/** The shortest text of a value, on one line. */
export function formatJson(value: Json): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return formatExactly(value)
  }
}

/** JSON.stringify knows no bigint. */
function formatExactly(value: Json): string {
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(formatExactly).join(',')}]`
  const members = Object.entries(value).map(([name, v]) => `${JSON.stringify(name)}:${formatExactly(v)}`)
  return `{${members.join(',')}}`
}

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?/y
const HALF_PAIR = /\p{Surrogate}/u
const KEYWORD = /[a-z]+/y
const KEYWORDS = new Map<string, Json>([
  ['null', null],
  ['true', true],
  ['false', false],
])

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): Json {
    const value = this.#value(0)
    this.#skip(SPACE)
    if (this.#at < this.#text.length) throw this.#error('trailing garbage at end of input')
    return value
  }

  #error(what: string, at = this.#at): JsonError {
    return new JsonError(what, this.#text.slice(0, at))
  }

  #skip(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)
    if (found !== null) this.#at = pattern.lastIndex
    return found
  }

  /** The next character that is no space; it stays the next. */
  #peek(): string {
    if (this.#text.charCodeAt(this.#at) <= 0x20) this.#skip(SPACE)
    return this.#text[this.#at] ?? ''
  }

  #expect(wanted: string, what: string): string {
    const c = this.#peek()
    if (c === '') throw this.#error('unexpected end of input')
    if (!wanted.includes(c)) throw this.#error(what)
    this.#at++
    return c
  }

  #value(depth: number): Json {
    const c = this.#peek()
    if (c === '{' || c === '[') {
      if (depth === MAX_JSON_DEPTH) throw this.#error(`input exceeds maximum nesting depth ${MAX_JSON_DEPTH}`)
      this.#at++
      return c === '{' ? this.#object(depth + 1) : this.#array(depth + 1)
    }
    if (c === '"') return this.#string()
    if (c === '-' || (c >= '0' && c <= '9')) return this.#number()
    if (c === '') throw this.#error('unexpected end of input')
    return this.#keyword()
  }

  #object(depth: number): Json {
    const members: Record<string, Json> = {}
    if (this.#peek() === '}') {
      this.#at++
      return members
    }
    do {
      if (this.#peek() !== '"') throw this.#error('syntax error parsing object expecting string')
      const name = this.#string()
      this.#expect(':', "syntax error parsing object expecting ':'")
      const value = this.#value(depth)
      if (name !== '__proto__') members[name] = value
      else
        Object.defineProperty(members, name, { value, enumerable: true, writable: true, configurable: true })
    } while (this.#expect(',}', "syntax error expecting '}' or ','") === ',')
    return members
  }

  #array(depth: number): Json {
    const elements: Json[] = []
    if (this.#peek() === ']') {
      this.#at++
      return elements
    }
    do elements.push(this.#value(depth))
    while (this.#expect(',]', "syntax error expecting ']' or ','") === ',')
    return elements
  }

  #string(): string {
    const from = this.#at
    const end = this.#stringEnd(from)
    if (end === 0) throw this.#error('unexpected end of input in quoted string')
    this.#at = end
    let text: string
    try {
      text = JSON.parse(this.#text.slice(from, end))
    } catch {
      throw this.#error('malformed quoted string', from)
    }
    if (text.includes('\0')) throw this.#error('null bytes not supported in quoted strings', from)
    if (HALF_PAIR.test(text)) throw this.#error('malformed escaped surrogate pair', from)
    return text
  }

  /** Where the text goes on behind the string that begins at `from`; 0 when it does not end. */
  #stringEnd(from: number): number {
    const text = this.#text
    for (let quote = text.indexOf('"', from + 1); quote > 0; quote = text.indexOf('"', quote + 1)) {
      let backslashes = 0
      while (text[quote - 1 - backslashes] === '\\') backslashes++
      if (backslashes % 2 === 0) return quote + 1
    }
    return 0
  }

  #number(): Json {
    const from = this.#at
    const found = this.#skip(NUMBER)
    if (found === null) throw this.#error("'-' must be followed by digit")
    if (found[1].length > 1 && found[1].startsWith('0')) throw this.#error('leading zeros not allowed', from)
    if (/[-+.eE0-9]/.test(this.#text[this.#at] ?? '')) throw this.#error('syntax error in number')
    const near = Number(found[0])
    if (Number.isSafeInteger(near)) return near
    const exact = exactInteger(found[0].startsWith('-'), found[1], found[2] ?? '', Number(found[3] ?? 0))
    if (exact !== undefined) return exact
    if (!Number.isFinite(near)) throw this.#error('number outside valid range', from)
    return near
  }

  #keyword(): Json {
    const found = this.#skip(KEYWORD)
    if (found === null) throw this.#error('syntax error expecting value')
    const value = KEYWORDS.get(found[0])
    if (value === undefined) throw this.#error(`invalid keyword '${found[0]}'`)
    return value
  }
}

/** The number when it has no fraction and fits int64. */
function exactInteger(
  negative: boolean,
  whole: string,
  fraction: string,
  exponent: number,
): bigint | undefined {
  const digits = `${whole}${fraction}`.replace(/0+$/, '')
  const zeros = whole.length + exponent - digits.length
  if (zeros < 0 || whole.length + exponent > 19) return undefined
  const value = BigInt(digits + '0'.repeat(zeros)) * (negative ? -1n : 1n)
  return value >= INT64_MIN && value <= INT64_MAX ? value : undefined
}
