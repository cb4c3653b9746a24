/**
 * Transactions as the records of a database file (ovsdb(5)): tables, rows by UUID, columns. A new row has the columns
 * that are not their defaults, a changed row those that have changed, each as the difference (`_is_diff`), and a row
 * that is gone is null.
 */

import type { Instant } from '../time.ts'
import type { Database, Table } from './database.ts'
import { type Datum, equalDatums } from './datum.ts'
import { applyDiff, diffOf } from './datum-algebra.ts'
import { datumToJson, parseAnyDatum, parseDatum } from './datum-json.ts'
import { OvsdbError, syntaxError } from './error.ts'
import { formatJson, isJsonObject, type Json, type JsonObject } from './json-text.ts'
import type { RowChange } from './row.ts'
import type { TableEdit } from './table-edit.ts'
import { type Committed, Transaction } from './transaction.ts'
import { parseUuid, type Uuid } from './uuid.ts'

/**
 * The text of a record; undefined when nothing has changed that outlives the server. It is put together from texts:
 * objects with UUIDs for names would each be of a kind of its own, which costs engines more than the rest.
 * @param isDiff whether changed columns are written as differences, not as what they have become
 */
export function transactionRecord(
  database: Database,
  changes: readonly RowChange[],
  date: Instant,
  comment: string,
  isDiff = true,
): string | undefined {
  const tables = new Map<string, string[]>()
  for (const change of changes) {
    const { table, uuid } = change
    const row = rowRecord(database.tables.get(table)!, change, isDiff)
    if (row === undefined) continue
    const text = `"${uuid}":${formatJson(row)}`
    const rows = tables.get(table)
    if (rows === undefined) tables.set(table, [text])
    else rows.push(text)
  }
  if (tables.size === 0) return undefined
  let text = '{'
  for (const [table, rows] of tables) text += `"${table}":{${rows.join(',')}},`
  return text + formatJson(annotations(date, comment, isDiff)).slice(1)
}

function annotations(date: Instant, comment: string, isDiff = true): JsonObject {
  const diff = isDiff ? { _is_diff: true } : {}
  return { ...(comment === '' ? {} : { _comment: comment }), ...diff, _date: Math.floor(date) }
}

function rowRecord(
  { schema, defaults }: Table,
  { before, after, written }: Pick<RowChange, 'before' | 'after' | 'written'>,
  isDiff = true,
): Json | undefined {
  if (after === undefined) return null
  const columns: Record<string, Json> = {}
  for (const name of written ?? schema.columns.keys()) {
    const { type, ephemeral } = schema.columns.get(name)!
    if (ephemeral) continue
    const datum = after.columns[name]
    const old = before?.columns[name]
    if (old === undefined) {
      if (!equalDatums(datum, defaults[name])) columns[name] = datumToJson(datum, type)
    } else if (!equalDatums(old, datum)) {
      columns[name] = datumToJson(isDiff ? diffOf(old, datum, type) : datum, type)
    }
  }
  return before !== undefined && Object.keys(columns).length === 0 ? undefined : columns
}

/** A whole database as one record, piece by piece; together they are its JSON with a line's end. */
export function* databaseRecord(database: Database, date: Instant, comment: string): Generator<string> {
  yield '{'
  for (const [name, table] of database.tables) {
    if (table.rows.size === 0) continue
    yield `"${name}":{`
    let separator = ''
    for (const row of table.rows.values()) {
      yield `${separator}"${row.uuid}":${formatJson(rowRecord(table, { after: row })!)}`
      separator = ','
    }
    yield '},'
  }
  yield `${formatJson(annotations(date, comment)).slice(1)}\n`
}

/**
 * What a record makes of a database, with all that a transaction has to meet. @throws OvsdbError
 * @param converting whether tables and columns that the schema does not have are passed over
 */
export function replayRecord(
  database: Database,
  record: JsonObject,
  newUuid: () => Uuid,
  converting = false,
): Committed {
  const transaction = new Transaction(database)
  const version = newUuid()
  const isDiff = record._is_diff === true
  for (const [name, rows] of Object.entries(record)) {
    if (!database.tables.has(name)) {
      if (converting || name === '_date' || name === '_is_diff' || name === '_comment') continue
      throw new OvsdbError('unknown table', `No table named ${name}.`)
    }
    const edit = transaction.edit(name)
    for (const [id, columns] of Object.entries(object(rows))) {
      const uuid = parseUuid(id)
      if (uuid === undefined) throw syntaxError(undefined, `"${id}" is not a valid UUID`)
      replayRow(edit, uuid, columns, isDiff, version, converting)
    }
  }
  return transaction.commit(version)
}

function replayRow(
  edit: TableEdit,
  uuid: Uuid,
  json: Json,
  isDiff: boolean,
  version: Uuid,
  converting: boolean,
): void {
  const row = edit.rows.get(uuid)
  if (json === null) {
    if (row === undefined) throw syntaxError(undefined, `transaction deletes row ${uuid} that does not exist`)
    edit.delete(uuid)
    return
  }
  const { schema } = edit.table
  const columns: Record<string, Datum> = {}
  for (const [name, value] of Object.entries(object(json))) {
    const column = schema.columns.get(name)
    if (column === undefined) {
      if (converting) continue
      throw new OvsdbError('unknown column', `No column ${name} in table ${schema.name}.`)
    }
    const { type } = column
    columns[name] =
      isDiff && row !== undefined
        ? applyDiff(row.columns[name], parseAnyDatum(value, type), type)
        : parseDatum(value, type)
  }
  if (row !== undefined) edit.modify(row, columns)
  else edit.insert(edit.newRow(uuid, version, columns), Object.keys(columns))
}

function object(json: Json): JsonObject {
  if (!isJsonObject(json)) throw syntaxError(json, 'object expected')
  return json
}
