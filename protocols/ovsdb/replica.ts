/**
 * What a client knows of a database by monitoring it (RFC 7047, 4.1.5; ovsdb-server(7), 4.1.12 to 4.1.16): a value as
 * the database is one, made of what the server sends.
 */

import { type Datum, equalDatums } from './datum.ts'
import { applyDiff } from './datum-algebra.ts'
import { parseAnyDatum, parseDatum } from './datum-json.ts'
import { OvsdbError, syntaxError } from './error.ts'
import { isJsonObject, type Json, type JsonObject } from './json-text.ts'
import { type MapEdit, PersistentMap } from './persistent-map.ts'
import { defaultColumns, type Row, type RowChange } from './row.ts'
import type { DatabaseSchema, TableSchema } from './schema.ts'
import { parseUuid, type Uuid, ZERO_UUID } from './uuid.ts'

/** The tables of a database, or what is known of them; a Database is one. */
export interface Snapshot {
  readonly schema: DatabaseSchema
  readonly tables: ReadonlyMap<string, SnapshotTable>
}

export interface SnapshotTable {
  readonly schema: TableSchema
  /** What a row holds where it is given nothing. */
  readonly defaults: Readonly<Record<string, Datum>>
  readonly rows: PersistentMap<Row>
}

/** Columns that are not monitored hold their defaults, and `version` says nothing. */
export function emptySnapshot(schema: DatabaseSchema): Snapshot {
  const tables = [...schema.tables].map(([name, table]): [string, SnapshotTable] => [
    name,
    { schema: table, defaults: defaultColumns(table), rows: PersistentMap.empty() },
  ])
  return { schema, tables: new Map(tables) }
}

export interface Updated {
  readonly snapshot: Snapshot
  readonly changes: readonly RowChange[]
}

/** Applies <table-updates>, of "monitor" and "update". @throws OvsdbError when it does not fit */
export function applyUpdates(snapshot: Snapshot, updates: Json): Updated {
  return apply(snapshot, updates, ({ defaults, schema }, _before, update) => {
    if ((update.new ?? null) === null) return undefined
    return withColumns(schema, defaults, member(update, 'new'))
  })
}

/** Applies <table-updates2>, of "monitor_cond", "update2" and their successors. @throws OvsdbError when it does not fit */
export function applyUpdates2(snapshot: Snapshot, updates: Json): Updated {
  return apply(snapshot, updates, ({ defaults, schema }, before, update) => {
    if ('delete' in update) return undefined
    if ('modify' in update) {
      if (before === undefined) throw new OvsdbError('ovsdb error', 'a row that is unknown is modified')
      return withDifferences(schema, before.columns, member(update, 'modify'))
    }
    return withColumns(schema, defaults, member(update, 'initial' in update ? 'initial' : 'insert'))
  })
}

type Columns = Readonly<Record<string, Datum>>

/** @param next the columns of a row after its update; undefined when it is gone */
function apply(
  snapshot: Snapshot,
  updates: Json,
  next: (table: SnapshotTable, before: Row | undefined, update: JsonObject) => Columns | undefined,
): Updated {
  const tables = new Map(snapshot.tables)
  const changes: RowChange[] = []
  for (const [name, rowUpdates] of Object.entries(object(updates))) {
    const table = tables.get(name)
    if (table === undefined) throw new OvsdbError('unknown table', `No table named ${name}.`)
    const rows = table.rows.edit()
    for (const [id, update] of Object.entries(object(rowUpdates))) {
      const uuid = parseUuid(id)
      if (uuid === undefined) throw syntaxError(undefined, `"${id}" is not a valid UUID`)
      const before = rows.get(uuid)
      const columns = next(table, before, object(update))
      const change = put(rows, name, uuid, before, columns)
      if (change !== undefined) changes.push(change)
    }
    tables.set(name, { ...table, rows: rows.done() })
  }
  return { snapshot: { schema: snapshot.schema, tables }, changes }
}

function put(
  rows: MapEdit<Row>,
  table: string,
  uuid: Uuid,
  before: Row | undefined,
  columns: Columns | undefined,
): RowChange | undefined {
  if (columns === undefined) {
    if (before === undefined) return undefined
    rows.delete(uuid)
    return { table, uuid, before }
  }
  const after: Row = { uuid, version: ZERO_UUID, columns }
  rows.set(uuid, after)
  return before === undefined ? { table, uuid, after } : { table, uuid, before, after }
}

function withColumns(schema: TableSchema, defaults: Columns, row: JsonObject): Columns {
  const columns: Record<string, Datum> = { ...defaults }
  for (const [name, json] of Object.entries(row)) {
    // It may be _uuid or _version, where these are monitored.
    const column = schema.columns.get(name)
    if (column !== undefined) columns[name] = parseDatum(json, column.type)
  }
  return columns
}

function withDifferences(schema: TableSchema, before: Columns, row: JsonObject): Columns {
  const columns: Record<string, Datum> = { ...before }
  for (const [name, json] of Object.entries(row)) {
    const column = schema.columns.get(name)
    if (column === undefined) continue
    columns[name] = applyDiff(before[name], parseAnyDatum(json, column.type), column.type)
  }
  return columns
}

function object(json: Json): JsonObject {
  if (!isJsonObject(json)) throw syntaxError(json, 'object expected')
  return json
}

function member(update: JsonObject, name: string): JsonObject {
  const row = update[name]
  if (!isJsonObject(row)) throw syntaxError(update, '<row-update> is not object')
  return row
}

/** What has changed from one snapshot to another of the same database. */
export function snapshotDifference(before: Snapshot, after: Snapshot): RowChange[] {
  const changes: RowChange[] = []
  for (const [table, { rows }] of after.tables) {
    const old = before.tables.get(table)?.rows ?? PersistentMap.empty<Row>()
    rows.forEach((row, uuid) => {
      const other = old.get(uuid)
      if (other === undefined) changes.push({ table, uuid, after: row })
      else if (!sameColumns(other.columns, row.columns))
        changes.push({ table, uuid, before: other, after: row })
    })
    old.forEach((row, uuid) => {
      if (!rows.has(uuid)) changes.push({ table, uuid, before: row })
    })
  }
  for (const [table, { rows }] of before.tables) {
    if (after.tables.has(table)) continue
    rows.forEach((row, uuid) => {
      changes.push({ table, uuid, before: row })
    })
  }
  return changes
}

function sameColumns(a: Columns, b: Columns): boolean {
  const names = Object.keys(b)
  if (Object.keys(a).length !== names.length) return false
  return names.every((name) => a[name] !== undefined && equalDatums(a[name], b[name]))
}
