/** The operation "wait" (RFC 7047 §5.2.6). */

import { parseCondition } from './condition.ts'
import { rowKey } from './database.ts'
import { equalDatums } from './datum.ts'
import { OvsdbError, syntaxError } from './error.ts'
import { type Execution, parseRow, tableOf } from './execution.ts'
import type { Json } from './json-text.ts'
import type { Members } from './members.ts'
import { cell, type Row } from './row.ts'
import { type ColumnSchema, parseColumnSet } from './schema.ts'
import { ZERO_UUID } from './uuid.ts'

/** Thrown by a "wait" that is not satisfied while there is time. */
export class Blocked extends Error {
  /** Ms from the first try; Infinity: for ever. */
  readonly timeout: number

  constructor(timeout: number) {
    super('blocked')
    this.timeout = timeout
  }
}

export function wait(execution: Execution, members: Members): Json {
  const timeoutGiven = members.optional('timeout', 'integer')
  const where = members.required('where', 'array')
  const columnsJson = members.optional('columns', 'array')
  const until = members.required('until', 'string')
  const rowsJson = members.required('rows', 'array')
  const edit = tableOf(execution, members)
  members.finish()
  const { schema, defaults } = edit.table
  const condition = parseCondition(where, schema, execution.names)
  const columns = parseColumnSet(columnsJson, schema)
  if (timeoutGiven !== undefined && timeoutGiven < 0) {
    throw syntaxError(timeoutGiven, 'timeout must be nonnegative')
  }
  const timeout = timeoutGiven === undefined ? Number.POSITIVE_INFINITY : Number(timeoutGiven)
  if (until !== '==' && until !== '!=') throw syntaxError(until, '"until" must be "==" or "!="')
  const expected = rowsJson.map((json): Row => {
    const { _uuid, _version, ...given } = Object.fromEntries(parseRow(json, schema, execution.names))
    const uuid = String(_uuid?.keys[0] ?? ZERO_UUID)
    const version = String(_version?.keys[0] ?? ZERO_UUID)
    return { uuid, version, columns: { ...defaults, ...given } }
  })
  if (sameRows(edit.matching(condition), expected, columns) === (until === '==')) return {}
  const { elapsed = 0 } = execution.environment
  if (elapsed < timeout) throw new Blocked(timeout)
  throw new OvsdbError(
    'timed out',
    elapsed > 0 ? `"wait" timed out after ${elapsed} ms` : '"where" clause test failed',
  )
}

/** Whether they are the same in these columns, in whatever order and however often. */
function sameRows(
  actual: readonly Row[],
  expected: readonly Row[],
  columns: readonly ColumnSchema[],
): boolean {
  if (actual.length === 1 && expected.length === 1) {
    return columns.every((column) => equalDatums(cell(actual[0], column), cell(expected[0], column)))
  }
  const wanted = new Set(expected.map((row) => rowKey(row, columns)))
  const found = new Set(actual.map((row) => rowKey(row, columns)))
  return found.size === wanted.size && [...found].every((key) => wanted.has(key))
}
