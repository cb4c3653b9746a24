/** <mutation> of RFC 7047 §5.1. */

import { integerResult, type Operator, realResult } from './arithmetic.ts'
import type { Atom } from './atom.ts'
import { checkAtom, type NamedUuids } from './atom-json.ts'
import { type ColumnType, columnTypeText, isMap, isScalar } from './column-type.ts'
import { type Datum, datumOf } from './datum.ts'
import { subtract, union } from './datum-algebra.ts'
import { parseDatum } from './datum-json.ts'
import { constraintViolation, OvsdbError, syntaxError } from './error.ts'
import type { Json } from './json-text.ts'
import { isArray } from './json-value.ts'
import { type ColumnSchema, findColumn, type TableSchema } from './schema.ts'

const OPERATORS: readonly Operator[] = ['+=', '-=', '*=', '/=', '%=']

export interface Mutation {
  readonly column: ColumnSchema
  readonly mutator: Operator | 'insert' | 'delete'
  readonly argument: Datum
}

export function parseMutations(json: readonly Json[], table: TableSchema, names: NamedUuids): Mutation[] {
  return json.map((mutation) => parseMutation(mutation, table, names))
}

function parseMutation(json: Json, table: TableSchema, names: NamedUuids): Mutation {
  if (!isArray(json) || json.length !== 3 || typeof json[0] !== 'string' || typeof json[1] !== 'string') {
    throw syntaxError(json, 'Parse error in mutation.')
  }
  const [name, mutator, argument] = json
  const column = findColumn(table, name)
  if (column === undefined) {
    throw new OvsdbError('unknown column', `No column ${name} in table ${table.name}.`, json)
  }
  if (!column.mutable) {
    throw constraintViolation(`Cannot mutate immutable column ${name} in table ${table.name}.`, json)
  }
  const { type } = column
  const mismatch = () => {
    const text = columnTypeText(type)
    return syntaxError(
      json,
      `Type mismatch: "${mutator}" operator may not be applied to column ${name} of type ${text}.`,
    )
  }
  if (mutator === 'insert' || mutator === 'delete') {
    if (isScalar(type)) throw mismatch()
    const parse = mutator === 'insert' ? parseInsert : parseDelete
    return { column, mutator, argument: parse(argument, type, names) }
  }
  const operator = OPERATORS.find((known) => known === mutator)
  if (operator === undefined) throw new OvsdbError('unknown mutator', `No mutator named ${mutator}.`)
  if (!isArithmetic(operator, type)) throw mismatch()
  return { column, mutator: operator, argument: parseDatum(argument, plain(type), names) }
}

function isArithmetic(operator: Operator, type: ColumnType): boolean {
  const atomic = type.key.type
  return !isMap(type) && (atomic === 'integer' || (atomic === 'real' && operator !== '%='))
}

/** One number, whatever the column's constraints. */
function plain(type: ColumnType): ColumnType {
  return { key: { type: type.key.type }, min: 1, max: 1 }
}

function parseInsert(json: Json, type: ColumnType, names: NamedUuids): Datum {
  return parseDatum(json, { ...type, min: 0 }, names)
}

/** From a map pairs are taken away, or whatever has the keys of a set. */
function parseDelete(json: Json, type: ColumnType, names: NamedUuids): Datum {
  const any = { ...type, min: 0, max: Number.POSITIVE_INFINITY }
  if (!isMap(type)) return parseDatum(json, any, names)
  try {
    return parseDatum(json, any, names)
  } catch (error) {
    if (!(error instanceof OvsdbError)) throw error
    return parseDatum(json, { key: type.key, min: 0, max: Number.POSITIVE_INFINITY }, names)
  }
}

/** The column's next value. Throws what RFC 7047 §5.2.4 answers when that is none. */
export function mutate(value: Datum, { column, mutator, argument }: Mutation): Datum {
  const { type } = column
  if (mutator !== 'insert' && mutator !== 'delete') return calculated(value, mutator, argument.keys[0], type)
  const result = mutator === 'insert' ? union(value, argument) : subtract(value, argument)
  const n = result.keys.length
  if (n < type.min || n > type.max) {
    throw constraintViolation(`Attempted to store ${n} elements in ${columnTypeText(type)}.`)
  }
  return result
}

function calculated(value: Datum, operator: Operator, argument: Atom, type: ColumnType): Datum {
  const keys = value.keys.map((key) =>
    type.key.type === 'integer' || operator === '%='
      ? integerResult(operator, key as number | bigint, argument as number | bigint)
      : realResult(operator, key as number, argument as number),
  )
  for (const key of keys) checkAtom(key, type.key)
  const result = datumOf(keys)
  if (result.keys.length !== keys.length) {
    throw constraintViolation(`Result of "${operator}" operation contains duplicates.`)
  }
  return result
}
