/** Datums from and to JSON: <value>, <set> and <map> of RFC 7047 §5.1. */

import type { Atom } from './atom.ts'
import { atomToJson, checkAtom, type NamedUuids, parseAtom } from './atom-json.ts'
import type { ColumnType } from './column-type.ts'
import { type Datum, datumOf, equalAtoms, scalar } from './datum.ts'
import { OvsdbError, syntaxError } from './error.ts'
import type { Json } from './json-text.ts'
import { isArray } from './json-value.ts'

/** Throws what RFC 7047 answers to a value of the wrong shape or outside its type's constraints. */
export function parseDatum(json: Json, type: ColumnType, names?: NamedUuids): Datum {
  if (type.value !== undefined) return parseMap(json, type, names)
  if (!isArray(json) || json[0] !== 'set') return scalar(parseAtom(json, type.key, names))
  const elements = unwrap(json, 'set')
  checkCount(elements.length, type, json)
  return distinct(
    { keys: elements.map((element) => parseAtom(element, type.key, names)) },
    'set contains duplicate',
  )
}

/** Without the limits on how many elements or pairs there are: for conditions and mutations. */
export function parseAnyDatum(json: Json, type: ColumnType, names?: NamedUuids): Datum {
  return parseDatum(json, { ...type, min: 0, max: Number.POSITIVE_INFINITY }, names)
}

function parseMap(json: Json, type: ColumnType, names: NamedUuids | undefined): Datum {
  const pairs = unwrap(json, 'map')
  checkCount(pairs.length, type, json)
  // Of their length from the start: arrays that grow keep room that maps of two pairs never need.
  const keys = new Array<Atom>(pairs.length)
  const values = new Array<Atom>(pairs.length)
  pairs.forEach((pair, i) => {
    if (!isArray(pair) || pair.length !== 2) throw syntaxError(pair, 'expected 2-element array')
    keys[i] = parseAtom(pair[0], type.key, names)
    values[i] = parseAtom(pair[1], type.value!, names)
  })
  const map = distinct({ keys, values }, 'map contains duplicate key')
  return { keys: sharedKeys(map.keys), values: map.values! }
}

/** Lists of keys that were met of late, by how long they are. */
const KNOWN_KEYS: (readonly Atom[])[] = []
const MAX_SHARED_KEYS = 8

/** The same list for equal keys: the maps of a column tend to have the same ones in every row. */
function sharedKeys(keys: readonly Atom[]): readonly Atom[] {
  const { length } = keys
  if (length > MAX_SHARED_KEYS) return keys
  const known = KNOWN_KEYS[length]
  if (known !== undefined && equalAtoms(known, keys)) return known
  KNOWN_KEYS[length] = keys
  return keys
}

function unwrap(json: Json, name: 'set' | 'map'): readonly Json[] {
  if (!isArray(json) || json.length !== 2 || json[0] !== name || !isArray(json[1])) {
    throw syntaxError(json, `expected ["${name}", <array>]`)
  }
  return json[1]
}

function checkCount(n: number, type: ColumnType, json: Json): void {
  if (n >= type.min && n <= type.max) return
  const name = type.value === undefined ? 'set' : 'map'
  const max = Math.min(type.max, 0xffffffff)
  throw syntaxError(
    json,
    type.min === 1 && type.max === 1
      ? `${name} must have exactly one member but ${n} are present`
      : `${name} must have ${type.min} to ${max} members but ${n} are present`,
  )
}

function distinct(given: Datum, otherwise: string): Datum {
  const datum = datumOf(given.keys, given.values)
  if (datum.keys.length !== given.keys.length) throw new OvsdbError('ovsdb error', otherwise)
  return datum
}

/** A set of one is written as its element. */
export function datumToJson(datum: Datum, type: ColumnType): Json {
  const { keys, values } = datum
  const key = type.key.type
  if (type.value !== undefined && values !== undefined) {
    const value = type.value.type
    return ['map', keys.map((atom, i) => [atomToJson(atom, key), atomToJson(values[i], value)])]
  }
  if (keys.length === 1) return atomToJson(keys[0], key)
  return ['set', key === 'uuid' ? keys.map((atom) => atomToJson(atom, key)) : keys]
}

/** Throws a constraint violation for an atom outside its type's constraints. */
export function checkDatum(datum: Datum, type: ColumnType): void {
  for (const key of datum.keys) checkAtom(key, type.key)
  if (type.value !== undefined) for (const value of datum.values ?? []) checkAtom(value, type.value)
}
