/**
 * Records of a database file (ovsdb(5), "File Format"): a line `OVSDB MAGIC LENGTH SHA1` and as many bytes of JSON,
 * which end with a line's end. The magic is JSON, or CLUSTER in the file of a server of a cluster.
 */

import { OvsdbError } from './error.ts'
import { formatJson, isJsonObject, type Json, JsonError, type JsonObject, parseJson } from './json-text.ts'

/** What who uses this brings along. */
export interface RecordCodec {
  /** In hexadecimal digits; of a text, of its UTF-8. */
  readonly sha1: (data: Uint8Array | string) => string
  /** Of a text's UTF-8. */
  readonly byteLength: (text: string) => number
  readonly encode: (text: string) => Uint8Array
  readonly decode: (bytes: Uint8Array) => string
}

export type Magic = 'JSON' | 'CLUSTER'

/** Longer is no header. */
const MAX_HEADER = 127
const HEADER = /^OVSDB ([^ ]+) ([1-9][0-9]*) ([0-9a-fA-F]{40})$/
const NEWLINE = 10

/** Bytes of a file: an array of them, or what reads them when they are asked for. */
export interface LogBytes {
  readonly length: number
  /** Those that there are of `from` to `to`. */
  subarray(from: number, to: number): Uint8Array
}

export interface RecordHeader {
  readonly magic: string
  readonly length: number
  readonly sha1: string
  /** Where its JSON begins. */
  readonly body: number
}

export interface LogRecord {
  readonly json: JsonObject
  /** Where the next record begins. */
  readonly end: number
}

/** A record that cannot be read, or that ends before it should. */
export class LogRecordError extends OvsdbError {}

/** Undefined for what is no header. */
export function parseHeader(
  file: LogBytes,
  offset: number,
  decode: RecordCodec['decode'],
): RecordHeader | undefined {
  const line = file.subarray(offset, offset + MAX_HEADER + 1)
  const end = line.indexOf(NEWLINE)
  if (end < 0) return undefined
  const found = HEADER.exec(decode(line.subarray(0, end)))
  if (found === null) return undefined
  return { magic: found[1], length: Number(found[2]), sha1: found[3].toLowerCase(), body: offset + end + 1 }
}

/** @param name of the file, for people. @throws LogRecordError */
export function readRecord(
  file: LogBytes,
  offset: number,
  name: string,
  codec: RecordCodec,
  magic: Magic = 'JSON',
): LogRecord {
  const header = parseHeader(file, offset, codec.decode)
  if (header?.magic !== magic) {
    const line = codec.decode(file.subarray(offset, offset + MAX_HEADER)).split('\n')[0]
    throw new LogRecordError(
      'syntax error',
      `${name}: parse error at offset ${offset} in header line "${line}"`,
    )
  }
  const { length, body, sha1 } = header
  const end = body + length
  if (end > file.length) {
    throw new LogRecordError(
      'I/O error',
      `${name}: error reading ${length} bytes starting at offset ${body} (End of file)`,
    )
  }
  const bytes = file.subarray(body, end)
  const actual = codec.sha1(bytes)
  const where = `${length} bytes starting at offset ${body}`
  if (actual !== sha1) {
    throw new LogRecordError(
      'syntax error',
      `${name}: ${where} have SHA-1 hash ${actual} but should have hash ${sha1}`,
    )
  }
  let json: Json
  try {
    json = readJson(codec.decode(bytes))
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new LogRecordError('syntax error', `${name}: ${where} are not valid JSON (${error.message})`)
  }
  if (!isJsonObject(json)) throw new LogRecordError('syntax error', `${name}: ${where} are not a JSON object`)
  return { json, end }
}

/** The bytes of a record. */
export function formatRecord(json: JsonObject, codec: RecordCodec): Uint8Array {
  return frameText(formatJson(json), codec)
}

/** @param json its text */
export function frameText(json: string, codec: RecordCodec, magic: Magic = 'JSON'): Uint8Array {
  const body = `${json}\n`
  return codec.encode(`${headerLine(magic, codec.byteLength(body), codec.sha1(body))}${body}`)
}

function headerLine(magic: Magic, length: number, sha1: string): string {
  return `OVSDB ${magic} ${length} ${sha1}\n`
}

/** @param body JSON and a line's end */
export function frameRecord(body: Uint8Array, codec: RecordCodec): Uint8Array {
  const header = codec.encode(headerLine('JSON', body.length, codec.sha1(body)))
  const record = new Uint8Array(header.length + body.length)
  record.set(header)
  record.set(body, header.length)
  return record
}

/** Whether behind a record that cannot be read there is one that can: then it is not the end that is torn. */
export function hasRecordAfter(
  file: LogBytes,
  offset: number,
  name: string,
  codec: RecordCodec,
  magic: Magic = 'JSON',
): boolean {
  for (const at of newlines(file, offset)) {
    if (parseHeader(file, at + 1, codec.decode) === undefined) continue
    try {
      readRecord(file, at + 1, name, codec, magic)
      return true
    } catch (error) {
      if (!(error instanceof LogRecordError)) throw error
    }
  }
  return false
}

/** How much of a file is searched at a time. */
const SEARCHED = 2 ** 16

function* newlines(file: LogBytes, offset: number): Generator<number> {
  for (let from = offset; from < file.length; from += SEARCHED) {
    const piece = file.subarray(from, from + SEARCHED)
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) yield from + at
  }
}

/** Numbers that the platform might not read exactly, where they may stand. */
const LARGE_NUMBER = /[[,:]\s*-?(?:\d{16}|[\d.]+[eE])/
const ESCAPED = /\\u(?:0000|[dD][89a-bA-F])/

/** As `parseJson`, by the platform where that is exact. */
export function readJson(text: string): Json {
  if (LARGE_NUMBER.test(text) || ESCAPED.test(text)) return parseJson(text)
  try {
    return JSON.parse(text)
  } catch {
    return parseJson(text)
  }
}
