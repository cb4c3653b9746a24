/**
 * Cuts a stream of bytes into JSON values: objects and arrays that follow each other with or without space between
 * them, as JSON-RPC 1.0 peers send them (RFC 7047, 4). Only what is outside of strings is looked at here, in one pass,
 * to find where a value ends; then it is read as one piece. What can begin or continue no value is refused at once and
 * not when, perhaps never, its end comes. Numbers that a double might not hold send their value to the exact reader,
 * all others are read by the platform.
 */

import { decodeUtf8 } from '../wire/utf8.ts'
import { type Json, JsonError, MAX_JSON_DEPTH, parseJson } from './json-text.ts'

export interface JsonStreamOptions {
  /** Bytes that one value may take; default 256 MiB. */
  readonly maxLength?: number
  /** UTF-8, which may be known to be ASCII, to text; the platform's is faster than our own, the default. */
  readonly decode?: (bytes: Uint8Array, ascii: boolean) => string
}

const MAX_LENGTH = 256 * 2 ** 20

const SPACE = 1
const OPEN = 2
const CLOSE = 3
const QUOTE = 4
const COMMA = 5
const DIGIT = 6
const LETTER_E = 7
const LETTER = 8

/** What a byte may be outside of strings; 0: nothing. */
const KIND = new Uint8Array(256)
function kind(characters: string, value: number): void {
  for (const c of characters) KIND[c.charCodeAt(0)] = value
}
kind(' \t\n\r', SPACE)
kind('{[', OPEN)
kind('}]', CLOSE)
kind('"', QUOTE)
kind(',:', COMMA)
kind('+-.0123456789', DIGIT)
kind('eE', LETTER_E)
kind('truefalsnul'.replaceAll('e', ''), LETTER)

/** Digits, sign and point that surely make a number which is safe as an integer, or short enough as a fraction. */
const PLAIN_NUMBER = 15

/** A value that is not whole yet keeps its buffer if it is no larger. */
const SMALL_BUFFER = 4096

export class JsonStream {
  readonly #maxLength: number
  readonly #decode: (bytes: Uint8Array, ascii: boolean) => string
  /** What has come of a value that is not whole yet. */
  #kept = new Uint8Array(SMALL_BUFFER)
  #length = 0
  #depth = 0
  #inString = false
  #escaped = false
  /** Characters of the number that is being passed. */
  #number = 0
  /** Whether all strings of the value are ASCII. */
  #ascii = true
  /** Whether the value has numbers or characters that the platform reads otherwise. */
  #delicate = false
  /** What #scan has stopped at, where it did not reach an end. */
  #wrong: string | undefined
  #failure: JsonError | undefined

  constructor(options: JsonStreamOptions = {}) {
    this.#maxLength = options.maxLength ?? MAX_LENGTH
    this.#decode = options.decode ?? ((bytes) => decodeUtf8(bytes))
  }

  /** Why nothing more comes out of it; its position is that in the value that is wrong. */
  get failure(): JsonError | undefined {
    return this.#failure
  }

  /** Bytes of a value that is not whole yet. */
  get pending(): number {
    return this.#length
  }

  /** Takes a chunk, which is the caller's again on return, and hands out each whole value. */
  push(chunk: Uint8Array, value: (value: Json) => void): void {
    let from = 0
    while (this.#failure === undefined) {
      if (this.#depth === 0) while (from < chunk.length && KIND[chunk[from]] === SPACE) from++
      if (from === chunk.length) return
      const end = this.#scan(chunk, from)
      const piece = chunk.subarray(from, end)
      if (this.#wrong === undefined && this.#length + piece.length > this.#maxLength)
        this.#wrong = `input exceeds maximum length ${this.#maxLength}`
      if (this.#wrong !== undefined)
        this.#fail(new JsonError(this.#wrong, this.#decode(this.#joined(piece), false)))
      else if (this.#depth === 0) this.#finish(this.#joined(piece), value)
      else this.#keep(piece)
      from = end
    }
  }

  /** Passes bytes of a value. @returns where it, the chunk, or what can be part of a value ends */
  #scan(b: Uint8Array, from: number): number {
    let i = from
    if (this.#inString) i = this.#scanString(b, i)
    else if (this.#depth === 0 && KIND[b[i]] !== OPEN) this.#wrong = 'syntax error at beginning of input'
    while (i < b.length && this.#wrong === undefined) {
      const k = KIND[b[i]]
      if (k === DIGIT) {
        if (++this.#number > PLAIN_NUMBER) this.#delicate = true
      } else if (k === LETTER_E) {
        if (this.#number > 0) this.#delicate = true
      } else this.#number = 0
      if (k === QUOTE) {
        i = this.#scanString(b, i + 1)
        continue
      }
      if (k === OPEN) {
        if (++this.#depth > MAX_JSON_DEPTH)
          this.#wrong = `input exceeds maximum nesting depth ${MAX_JSON_DEPTH}`
      } else if (k === CLOSE) {
        if (--this.#depth === 0) return i + 1
      } else if (k === 0) this.#wrong = `invalid character ${describe(b[i])}`
      if (this.#wrong === undefined) i++
    }
    return i
  }

  /** Passes the rest of a string and its closing quote. @returns where to go on */
  #scanString(b: Uint8Array, from: number): number {
    this.#inString = true
    for (let i = from; i < b.length; i++) {
      const c = b[i]
      if (this.#escaped) {
        this.#escaped = false
        // It may be U+0000, or half a character.
        if (c === 0x75) this.#delicate = true
        else if (c > 0x7f) this.#ascii = false
      } else if (c <= 0x5c) {
        if (c === 0x5c) this.#escaped = true
        else if (c === 0x22) {
          this.#inString = false
          return i + 1
        } else if (c < 0x20) {
          this.#wrong = `${describe(c)} must be escaped in quoted string`
          return i
        }
      } else if (c > 0x7f) this.#ascii = false
    }
    return b.length
  }

  #keep(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#kept.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#kept.length))
      larger.set(this.#kept.subarray(0, this.#length))
      this.#kept = larger
    }
    this.#kept.set(piece, this.#length)
    this.#length = length
  }

  #joined(last: Uint8Array): Uint8Array {
    if (this.#length === 0) return last
    this.#keep(last)
    return this.#kept.subarray(0, this.#length)
  }

  #finish(whole: Uint8Array, value: (value: Json) => void): void {
    const text = this.#decode(whole, this.#ascii)
    const delicate = this.#delicate
    this.#clear()
    let read: Json
    try {
      read = delicate ? parseJson(text) : parsePlain(text)
    } catch (error) {
      if (!(error instanceof JsonError)) throw error
      this.#fail(error)
      return
    }
    value(read)
  }

  #fail(error: JsonError): void {
    this.#failure = error
    this.#clear()
  }

  #clear(): void {
    if (this.#kept.length > SMALL_BUFFER) this.#kept = new Uint8Array(SMALL_BUFFER)
    this.#length = 0
    this.#number = 0
    this.#delicate = false
    this.#ascii = true
  }
}

function parsePlain(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    // It is wrong; the exact reader says where.
    return parseJson(text)
  }
}

function describe(c: number): string {
  return c > 0x20 && c < 0x7f
    ? `'${String.fromCharCode(c)}'`
    : `U+${c.toString(16).toUpperCase().padStart(4, '0')}`
}
