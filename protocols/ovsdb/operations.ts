/** The operations of RFC 7047 §5.2, but for "wait" (./wait.ts). Each throws what its result is when it fails. */

import { checkAccess } from './access.ts'
import { type Condition, parseCondition } from './condition.ts'
import { rowKey } from './database.ts'
import { compareDatums, type Datum } from './datum.ts'
import { checkDatum, datumToJson } from './datum-json.ts'
import { constraintViolation, OvsdbError, syntaxError } from './error.ts'
import { type Execution, parseRow, tableOf } from './execution.ts'
import type { Json, JsonObject } from './json-text.ts'
import type { Members } from './members.ts'
import { mutate, parseMutations } from './mutation.ts'
import { cell, type Row } from './row.ts'
import { type ColumnSchema, findColumn, parseColumnSet } from './schema.ts'
import type { TableEdit } from './table-edit.ts'
import { parseUuid, type Uuid } from './uuid.ts'
import { wait } from './wait.ts'

interface Operation {
  /** Not allowed where nothing may change. */
  readonly writes: boolean
  /** Reads its members, acts and returns its result. */
  run(execution: Execution, members: Members): Json
}

export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['insert', { writes: true, run: insert }],
  ['select', { writes: false, run: select }],
  ['update', { writes: true, run: update }],
  ['mutate', { writes: true, run: mutateRows }],
  ['delete', { writes: true, run: deleteRows }],
  ['wait', { writes: false, run: wait }],
  ['commit', { writes: false, run: commit }],
  ['abort', { writes: false, run: abort }],
  ['comment', { writes: false, run: comment }],
  ['assert', { writes: false, run: assert }],
])

function insert(execution: Execution, members: Members): Json {
  const edit = tableOf(execution, members)
  const uuidText = members.optional('uuid', 'string')
  const name = members.optional('uuid-name', 'id')
  const json = members.required('row', 'object')
  members.finish()
  const uuid = newRowUuid(execution, edit, uuidText, name)
  const { schema, defaults, required } = edit.table
  // What is given for _uuid and _version is not heeded.
  const given = parseRow(json, schema, execution.names).filter(([name]) => schema.columns.has(name))
  const columns = Object.fromEntries(given)
  for (const { name, type } of required) {
    checkDatum(Object.hasOwn(columns, name) ? columns[name] : defaults[name], type)
  }
  const row = edit.newRow(uuid, execution.version, columns)
  checkAccess(execution, edit, 'insert', [row])
  edit.insert(row, Object.keys(columns))
  return { uuid: ['uuid', uuid] }
}

function newRowUuid(
  { names, environment }: Execution,
  edit: TableEdit,
  text: string | undefined,
  name: string | undefined,
): Uuid {
  let given: Uuid | undefined
  if (text !== undefined) {
    given = parseUuid(text)
    if (given === undefined) throw syntaxError(text, 'bad uuid')
    if (edit.rows.has(given) || edit.touched.has(given)) {
      throw new OvsdbError(
        'duplicate uuid',
        'This UUID would duplicate a UUID already present within the table or deleted within the same transaction.',
        text,
      )
    }
  }
  if (name === undefined) return given ?? environment.newUuid()
  const uuid = names.insert(name, given)
  if (uuid !== false) return uuid
  throw new OvsdbError(
    'duplicate uuid-name',
    'This "uuid-name" appeared on an earlier "insert" operation.',
    name,
  )
}

function select(execution: Execution, members: Members): Json {
  const edit = tableOf(execution, members)
  const where = members.required('where', 'array')
  const columnsJson = members.optional('columns', 'array')
  const sortJson = members.optional('sort', 'array')
  members.finish()
  const { schema } = edit.table
  const condition = parseCondition(where, schema, execution.names)
  const columns = parseColumnSet(columnsJson, schema)
  const sort = sortJson === undefined ? [] : parseColumnSet(sortJson, schema)
  const rows = distinct(edit.matching(condition), columns)
  if (sort.length > 0) rows.sort((a, b) => compareRows(a, b, sort))
  return { rows: rows.map((row) => rowToJson(row, columns)) }
}

/** Rows that are alike in these columns are one row. */
export function distinct(rows: Row[], columns: readonly ColumnSchema[]): Row[] {
  if (columns.some((column) => column.name === '_uuid')) return rows
  return [...new Map(rows.map((row) => [rowKey(row, columns), row])).values()]
}

function compareRows(a: Row, b: Row, columns: readonly ColumnSchema[]): number {
  for (const column of columns) {
    const order = compareDatums(cell(a, column), cell(b, column))
    if (order !== 0) return order
  }
  return 0
}

export function rowToJson(row: Row, columns: readonly ColumnSchema[]): JsonObject {
  const json: Record<string, Json> = {}
  for (const column of columns) json[column.name] = datumToJson(cell(row, column), column.type)
  return json
}

function update(execution: Execution, members: Members): Json {
  const edit = tableOf(execution, members)
  const where = members.required('where', 'array')
  const json = members.required('row', 'object')
  members.finish()
  const { schema } = edit.table
  const given = parseRow(json, schema, execution.names)
  for (const [name] of given) {
    if (findColumn(schema, name)!.mutable) continue
    throw constraintViolation(`Cannot update immutable column ${name} in table ${schema.name}.`, members.json)
  }
  const rows = edit.matching(parseCondition(where, schema, execution.names))
  const columns = Object.fromEntries(given)
  checkAccess(execution, edit, 'update', rows, Object.keys(columns))
  for (const row of rows) edit.modify(row, columns)
  return { count: rows.length }
}

function mutateRows(execution: Execution, members: Members): Json {
  const edit = tableOf(execution, members)
  const where = members.required('where', 'array')
  const mutationsJson = members.required('mutations', 'array')
  members.finish()
  const { schema } = edit.table
  const mutations = parseMutations(mutationsJson, schema, execution.names)
  const rows = edit.matching(parseCondition(where, schema, execution.names))
  checkAccess(
    execution,
    edit,
    'mutate',
    rows,
    mutations.map(({ column }) => column.name),
  )
  for (const row of rows) {
    const columns: Record<string, Datum> = {}
    for (const mutation of mutations) {
      const { name } = mutation.column
      columns[name] = mutate(Object.hasOwn(columns, name) ? columns[name] : row.columns[name], mutation)
    }
    edit.modify(row, columns)
  }
  return { count: rows.length }
}

function deleteRows(execution: Execution, members: Members): Json {
  const where = members.required('where', 'array')
  const edit = tableOf(execution, members)
  members.finish()
  const condition: Condition = parseCondition(where, edit.table.schema, execution.names)
  const rows = edit.matching(condition)
  checkAccess(execution, edit, 'delete', rows)
  for (const row of rows) edit.delete(row.uuid)
  return { count: rows.length }
}

function commit(execution: Execution, members: Members): Json {
  const durable = members.required('durable', 'boolean')
  members.finish()
  if (durable) execution.durable = true
  return {}
}

function abort(_execution: Execution, members: Members): Json {
  members.finish()
  throw new OvsdbError('aborted', 'aborted by request')
}

function comment(execution: Execution, members: Members): Json {
  const text = members.required('comment', 'string')
  members.finish()
  execution.comments.push(text)
  return {}
}

function assert({ environment }: Execution, members: Members): Json {
  const lock = members.required('lock', 'id')
  members.finish()
  if (environment.holdsLock?.(lock)) return {}
  throw new OvsdbError('not owner', `Asserted lock ${lock} not held.`)
}
