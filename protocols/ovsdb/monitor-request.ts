/** <monitor-request> of RFC 7047 §4.1.5, with the conditions of ovsdb-server(7), "monitor_cond". */

import { type Condition, parseCondition } from './condition.ts'
import type { Database } from './database.ts'
import { type Datum, defaultDatum } from './datum.ts'
import { syntaxError } from './error.ts'
import { isJsonObject, type Json } from './json-text.ts'
import { isArray } from './json-value.ts'
import { Members } from './members.ts'
import { type ColumnSchema, findColumn, type TableSchema, VERSION_COLUMN } from './schema.ts'

/** What may be told about a row. */
export const INITIAL = 1
export const INSERT = 2
export const DELETE = 4
export const MODIFY = 8
const EVERYTHING = INITIAL | INSERT | DELETE | MODIFY

export interface MonitoredColumn {
  readonly column: ColumnSchema
  readonly defaultValue: Datum
  /** INITIAL, …: what it is told about. */
  readonly select: number
}

export interface MonitoredTable {
  readonly schema: TableSchema
  readonly columns: readonly MonitoredColumn[]
  /** Of all columns together. */
  readonly select: number
  /** One clause is enough; none at all means every row. */
  readonly condition: Condition
}

/** @param conditional whether requests may have a "where" */
export function parseMonitorRequests(
  json: Json | undefined,
  database: Database,
  conditional: boolean,
): ReadonlyMap<string, MonitoredTable> {
  if (!isJsonObject(json)) throw syntaxError(json, 'monitor-requests must be object')
  return new Map(
    Object.entries(json).map(([name, requests]) => {
      const schema = tableNamed(name, database)
      const parsed = (isArray(requests) ? requests : [requests]).map((request) =>
        parseRequest(request, schema, conditional),
      )
      return [name, joined(schema, parsed)]
    }),
  )
}

type Request = Omit<MonitoredTable, 'schema'>

function parseRequest(json: Json, schema: TableSchema, conditional: boolean): Request {
  const members = new Members(json, `table ${schema.name}`)
  const where = conditional ? members.optional('where', 'array') : undefined
  const columnsJson = members.optional('columns', 'array')
  const selectJson = members.optional('select', 'object')
  members.finish()
  const select = selectJson === undefined ? EVERYTHING : parseSelect(selectJson, schema)
  const columns =
    columnsJson === undefined
      ? [VERSION_COLUMN, ...schema.columns.values()]
      : columnsJson.map((name) => parseColumn(name, columnsJson, schema))
  return {
    columns: columns.map((column) => ({ column, defaultValue: defaultDatum(column.type), select })),
    select,
    condition: where === undefined ? [] : parseCondition(where, schema),
  }
}

function parseSelect(json: Json, schema: TableSchema): number {
  const members = new Members(json, `table ${schema.name} select`)
  const flag = (name: string, bit: number) => ((members.optional(name, 'boolean') ?? true) ? bit : 0)
  const select =
    flag('initial', INITIAL) | flag('insert', INSERT) | flag('delete', DELETE) | flag('modify', MODIFY)
  members.finish()
  return select
}

function parseColumn(name: Json, columns: readonly Json[], schema: TableSchema): ColumnSchema {
  if (typeof name !== 'string') throw syntaxError(columns, 'array of column names expected')
  const column = findColumn(schema, name)
  if (column === undefined) throw syntaxError(columns, `${name} is not a valid column name`)
  return column
}

function joined(schema: TableSchema, requests: readonly Request[]): MonitoredTable {
  const columns = requests.flatMap((request) => request.columns)
  const names = columns.map(({ column }) => column.name)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice !== undefined) throw syntaxError(names, `column ${twice} mentioned more than once`)
  return {
    schema,
    columns,
    select: requests.reduce((all, { select }) => all | select, 0),
    condition: requests[0]?.condition ?? [],
  }
}

/** The tables with the conditions that "monitor_cond_change" gives them. */
export function parseConditionChanges(
  json: Json | undefined,
  database: Database,
  monitored: ReadonlyMap<string, MonitoredTable>,
): ReadonlyMap<string, MonitoredTable> {
  if (!isJsonObject(json)) throw syntaxError(undefined, 'monitor-cond-change-requests must be object')
  const changed = new Map(monitored)
  for (const [name, requests] of Object.entries(json)) {
    const schema = tableNamed(name, database)
    const table = changed.get(name)
    if (table === undefined) throw syntaxError(undefined, `no table named ${name} in monitor session`)
    if (!isArray(requests)) throw syntaxError(undefined, `table ${name} no monitor-cond-change JSON array`)
    for (const request of requests) {
      changed.set(name, { ...table, condition: parseConditionChange(request, schema) })
    }
  }
  return changed
}

function parseConditionChange(json: Json, schema: TableSchema): Condition {
  const members = new Members(json, `table ${schema.name}`)
  const columns = members.optional('columns', 'array')
  const where = members.optional('where', 'array')
  members.finish()
  if (columns !== undefined) throw syntaxError(json, 'changing columns is unsupported')
  return where === undefined ? [] : parseCondition(where, schema)
}

function tableNamed(name: string, database: Database): TableSchema {
  const table = database.tables.get(name)
  if (table === undefined) throw syntaxError(undefined, `no table named ${name}`)
  return table.schema
}
