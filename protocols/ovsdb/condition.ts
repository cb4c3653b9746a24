/** <condition> of RFC 7047 §5.1, with the boolean clauses of ovsdb-server(7). */

import { compareAtoms } from './atom.ts'
import type { NamedUuids } from './atom-json.ts'
import { type ColumnType, columnTypeText, isOptionalScalar, isScalar } from './column-type.ts'
import { type Datum, equalDatums } from './datum.ts'
import { excludesAll, includesAll } from './datum-algebra.ts'
import { parseDatum } from './datum-json.ts'
import { OvsdbError, syntaxError } from './error.ts'
import type { Json } from './json-text.ts'
import { isArray } from './json-value.ts'
import { cell, type Row } from './row.ts'
import { type ColumnSchema, findColumn, type TableSchema } from './schema.ts'

type Comparison = '<' | '<=' | '>' | '>='
type Function = Comparison | '==' | '!=' | 'includes' | 'excludes'

const FUNCTIONS: readonly Function[] = ['==', '!=', 'includes', 'excludes', '<', '<=', '>', '>=']

/** A clause that is true or false for every row, or one that looks at a column. */
export type Clause = boolean | ColumnClause

export interface ColumnClause {
  readonly column: ColumnSchema
  readonly function: Function
  readonly argument: Datum
}

export type Condition = readonly Clause[]

export function parseCondition(json: readonly Json[], table: TableSchema, names?: NamedUuids): Condition {
  return json.map((clause) => parseClause(clause, table, names))
}

function parseClause(json: Json, table: TableSchema, names: NamedUuids | undefined): Clause {
  if (typeof json === 'boolean') return json
  if (!isArray(json) || json.length !== 3 || typeof json[0] !== 'string' || typeof json[1] !== 'string') {
    throw syntaxError(json, 'Parse error in condition.')
  }
  const [name, functionName, argument] = json
  const column = findColumn(table, name)
  if (column === undefined) {
    throw new OvsdbError('unknown column', `No column ${name} in table ${table.name}.`, json)
  }
  const fn = FUNCTIONS.find((known) => known === functionName)
  if (fn === undefined) throw new OvsdbError('unknown function', `No function named ${functionName}.`)
  if (isComparison(fn) && !isComparable(column.type)) {
    const type = columnTypeText(column.type)
    throw syntaxError(
      json,
      `Type mismatch: "${fn}" operator may not be applied to column ${name} of type ${type}.`,
    )
  }
  return { column, function: fn, argument: parseDatum(argument, argumentType(fn, column.type), names) }
}

function isComparison(fn: Function): fn is Comparison {
  return fn === '<' || fn === '<=' || fn === '>' || fn === '>='
}

function isComparable(type: ColumnType): boolean {
  const { type: atomic } = type.key
  return (atomic === 'integer' || atomic === 'real') && (isScalar(type) || isOptionalScalar(type))
}

function argumentType(fn: Function, type: ColumnType): ColumnType {
  if (isComparison(fn)) return { ...type, min: 1 }
  if (isScalar(type) || fn === '==' || fn === '!=') return type
  return fn === 'includes' ? { ...type, min: 0 } : { ...type, min: 0, max: Number.POSITIVE_INFINITY }
}

export function clauseHolds(clause: Clause, row: Row): boolean {
  if (typeof clause === 'boolean') return clause
  const value = cell(row, clause.column)
  switch (clause.function) {
    case '==':
      return equalDatums(value, clause.argument)
    case '!=':
      return !equalDatums(value, clause.argument)
    case 'includes':
      return includesAll(value, clause.argument)
    case 'excludes':
      return excludesAll(value, clause.argument)
  }
  // An optional column without a value is neither smaller nor larger than anything.
  if (value.keys.length === 0) return false
  const order = compareAtoms(value.keys[0], clause.argument.keys[0])
  switch (clause.function) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

/** As operations read a condition: every clause must hold. */
export function matchesEvery(condition: Condition, row: Row): boolean {
  return condition.every((clause) => clauseHolds(clause, row))
}

/** As monitors read it: one clause is enough, and none at all matches everything (ovsdb-server(7), 4.1.12). */
export function matchesAny(condition: Condition, row: Row): boolean {
  return condition.length === 0 || condition.some((clause) => clauseHolds(clause, row))
}

/** The argument of a clause that asks for one value of the column. */
export function valueAskedFor(condition: Condition, column: string): Datum | undefined {
  for (const clause of condition) {
    if (typeof clause === 'boolean' || clause.column.name !== column) continue
    if (clause.function === '==' || (clause.function === 'includes' && isScalar(clause.column.type))) {
      return clause.argument
    }
  }
  return undefined
}
