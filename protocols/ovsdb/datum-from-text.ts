/** Datums as they are typed, "Database Values" in ovs-vsctl(8): `5`, `a,b`, `[1, 2-5]`, `{key=value}`, `"text"`. */

import type { Atom } from './atom.ts'
import { checkAtom } from './atom-json.ts'
import type { BaseType } from './base-type.ts'
import { type ColumnType, isMap, isScalar } from './column-type.ts'
import { type Datum, datumOf } from './datum.ts'
import { OvsdbError } from './error.ts'
import { JsonError, parseJson } from './json-text.ts'
import { INT64_MAX, INT64_MIN, integer } from './json-value.ts'
import { parseUuid, type Uuid } from './uuid.ts'

/** What was typed cannot be meant, in Open vSwitch's words. */
export class DatumTextError extends Error {}

/** The UUID that a name like `@port` stands for. */
export type ResolveSymbol = (name: string, reference: BaseType) => Uuid

const DELIMITERS = ':=, []{}!<>'
/** As many integers may come out of one range. */
const MAX_RANGE = 4096

/** Takes words off the front of a text. */
export class TextReader {
  rest: string

  constructor(text: string) {
    this.rest = text
  }

  skipSpaces(): void {
    this.rest = this.rest.trimStart()
  }

  /** Whether the next character is this one, which is then taken. */
  take(character: string): boolean {
    if (!this.rest.startsWith(character)) return false
    this.rest = this.rest.slice(character.length)
    return true
  }

  /** What is up to the next delimiter. Quotes and backslashes keep delimiters from being ones; quotes stay. */
  token(): string {
    const { rest } = this
    let token = ''
    let quoted = false
    let end = 0
    for (; end < rest.length && (quoted || !DELIMITERS.includes(rest[end])); end++) {
      if (rest[end] === '\\') {
        if (++end === rest.length) throw new DatumTextError(`${rest}: backslash at end of argument`)
        if (quoted) token += '\\'
      } else if (rest[end] === '"') quoted = !quoted
      token += rest[end]
    }
    if (quoted) throw new DatumTextError(`${rest}: quoted string extends past end of argument`)
    this.rest = rest.slice(end)
    return token
  }
}

function unquoted(text: string): string {
  if (text.length < 2 || !text.endsWith('"'))
    throw new DatumTextError(`${text}: missing quote at end of quoted string`)
  try {
    return String(parseJson(text))
  } catch (error) {
    if (error instanceof JsonError) throw new DatumTextError(`${text}: ${error.message}`)
    throw error
  }
}

/** @throws DatumTextError */
export function atomFromText(text: string, base: BaseType, resolve: ResolveSymbol): Atom {
  return checked(parseAtom(text, base, resolve), base)
}

function checked(atom: Atom, base: BaseType): Atom {
  try {
    checkAtom(atom, base)
  } catch (error) {
    if (error instanceof OvsdbError) throw new DatumTextError(error.message)
    throw error
  }
  return atom
}

function parseAtom(text: string, base: BaseType, resolve: ResolveSymbol): Atom {
  switch (base.type) {
    case 'integer': {
      const value = int64(text)
      if (value === undefined) throw new DatumTextError(`"${text}" is not a valid integer or range`)
      return value
    }
    case 'real': {
      const value = text.trim() === '' ? Number.NaN : Number(text)
      if (Number.isNaN(value)) throw new DatumTextError(`"${text}" is not a valid real number`)
      return value + 0
    }
    case 'boolean':
      if (['true', 'yes', 'on', '1'].includes(text)) return true
      if (['false', 'no', 'off', '0'].includes(text)) return false
      throw new DatumTextError(`"${text}" is not a valid boolean (use "true" or "false")`)
    case 'string':
      if (text === '') {
        throw new DatumTextError(
          'An empty string is not valid as input; use "" to represent the empty string',
        )
      }
      return text.startsWith('"') ? unquoted(text) : text
    case 'uuid': {
      if (text.startsWith('@')) return resolve(text, base)
      const uuid = parseUuid(text)
      if (uuid === undefined) throw new DatumTextError(`"${text}" is not a valid UUID`)
      return uuid
    }
  }
}

function int64(text: string): Atom | undefined {
  if (!/^\s*[-+]?\d+$/.test(text)) return undefined
  const value = BigInt(text.trim().replace(/^\+/, ''))
  return value < INT64_MIN || value > INT64_MAX ? undefined : integer(value)
}

/** Several integers where a range is typed. */
function parseAtoms(text: string, base: BaseType, resolve: ResolveSymbol): Atom[] {
  const [, from, to] = (base.type === 'integer' && /^(-?\d+)-(-?\d+)$/.exec(text)) || []
  if (from === undefined || to === undefined) return [atomFromText(text, base, resolve)]
  const first = Number(from)
  const last = Number(to)
  if (last < first) {
    throw new DatumTextError(`"${text}" is not a valid range. Range end cannot be before start.`)
  }
  if (last - first >= MAX_RANGE) {
    throw new DatumTextError(
      `constraint violation: Range "${first}-${last}" is too big. Maximum allowed size is ${MAX_RANGE}.`,
    )
  }
  return Array.from({ length: last - first + 1 }, (_, i) => checked(first + i, base))
}

/** @throws DatumTextError, also for a number of elements that the type does not allow */
export function datumFromText(text: string, type: ColumnType, resolve: ResolveSymbol): Datum {
  const map = isMap(type)
  const reader = new TextReader(text)
  reader.skipSpaces()
  if (reader.rest === '') {
    throw new DatumTextError(map ? 'use "{}" to specify the empty map' : 'use "[]" to specify the empty set')
  }
  const close = reader.take(map ? '{' : '[') ? (map ? '}' : ']') : ''
  reader.skipSpaces()
  const keys: Atom[] = []
  const values: Atom[] = []
  while (reader.rest !== '' && reader.rest[0] !== close) {
    if (DELIMITERS.includes(reader.rest[0])) {
      throw new DatumTextError(`${text}: unexpected "${reader.rest[0]}" parsing ${typeInEnglish(type)}`)
    }
    const start = reader.rest
    const added = parseAtoms(reader.token(), type.key, resolve)
    keys.push(...added)
    if (type.value !== undefined) {
      reader.skipSpaces()
      if (!reader.take('=')) {
        throw new DatumTextError(`${start}: syntax error at "${reader.rest[0] ?? ''}" expecting "="`)
      }
      reader.skipSpaces()
      const value = atomFromText(reader.token(), type.value, resolve)
      values.push(...added.map(() => value))
    }
    reader.skipSpaces()
    if (reader.take(',')) reader.skipSpaces()
  }
  if (close !== '' && !reader.take(close))
    throw new DatumTextError(`${text}: missing "${close}" at end of data`)
  reader.skipSpaces()
  if (reader.rest !== '') throw new DatumTextError(`${text}: trailing garbage after "${close}"`)
  return counted(text, keys, map ? values : undefined, type)
}

function counted(
  text: string,
  keys: readonly Atom[],
  values: readonly Atom[] | undefined,
  type: ColumnType,
): Datum {
  const n = keys.length
  const what = values === undefined ? 'value(s)' : 'pair(s)'
  if (n < type.min)
    throw new DatumTextError(`${text}: ${n} ${what} specified but the minimum number is ${type.min}`)
  if (n > type.max)
    throw new DatumTextError(`${text}: ${n} ${what} specified but the maximum number is ${type.max}`)
  const datum = datumOf(keys, values)
  if (datum.keys.length < n) {
    throw new DatumTextError(
      `${text}: ${values === undefined ? 'set contains duplicate value' : 'map contains duplicate key'}`,
    )
  }
  return datum
}

/** "integer", "set of up to 3 strings", "map of (string, uuid) pairs". */
function typeInEnglish(type: ColumnType): string {
  const { key, value, min, max } = type
  if (isScalar(type)) return key.type
  const unlimited = max === Number.POSITIVE_INFINITY
  const count = unlimited
    ? min > 0
      ? ` of ${min} or more`
      : ' of'
    : min > 0
      ? ` of ${min} to ${max}`
      : ` of up to ${max}`
  return value === undefined ? `set${count} ${key.type}s` : `map${count} (${key.type}, ${value.type}) pairs`
}
