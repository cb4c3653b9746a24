/** Commands for any table, "Database Commands" in ovs-vsctl(8). */

import { atomText } from '../../protocols/ovsdb/atom.ts'
import { type ColumnType, isMap } from '../../protocols/ovsdb/column-type.ts'
import { type Datum, datumText, EMPTY_MAP, EMPTY_SET, mapValue, scalar } from '../../protocols/ovsdb/datum.ts'
import { subtract, union } from '../../protocols/ovsdb/datum-algebra.ts'
import {
  atomFromText,
  DatumTextError,
  datumFromText,
  type ResolveSymbol,
} from '../../protocols/ovsdb/datum-from-text.ts'
import type { ColumnSchema, TableSchema } from '../../protocols/ovsdb/schema.ts'
import { OPEN_VSWITCH } from '../../protocols/ovsdb/schemas/open-vswitch.ts'
import { parseUuid } from '../../protocols/ovsdb/uuid.ts'
import { type Call, type Needs, TryAgain, type VsctlCommand, VsctlError } from './command.ts'
import { meets } from './condition.ts'
import type { DraftRow } from './draft.ts'
import {
  findColumnOf,
  findRow,
  findTable,
  findTableName,
  needsOf,
  parseColumnKey,
  parseColumnKeyValue,
  parseColumnNames,
} from './lookup.ts'

/** Whose warnings these are. */
const MODULE = 'db_ctl_base'
const MANY = Number.POSITIVE_INFINITY
const UNLIMITED = { min: 1, max: Number.POSITIVE_INFINITY }

const tableNeeds = ([table]: readonly string[]): Needs =>
  needsOf(findTableName(Object.keys(OPEN_VSWITCH.tables), table))

const tableOf = (call: Call) => findTable(call.draft.snapshot, call.args[0])

function rowOf(call: Call, table: TableSchema, id = call.args[1]): DraftRow | undefined {
  return findRow(call.draft, table, id, !call.has('--if-exists'))
}

function checkMutable(row: DraftRow, column: ColumnSchema): void {
  if (column.mutable || row.before === undefined) return
  throw new VsctlError(`cannot modify read-only column ${column.name} in table ${row.table.name}`)
}

function isUuidColumn(argument: string): boolean {
  return /^[-_]uuid$/i.test(argument)
}

function list(call: Call): void {
  const table = tableOf(call)
  const ids = call.args.slice(1)
  const rows =
    ids.length === 0 ? call.draft.rows(table.name) : ids.flatMap((id) => rowOf(call, table, id) ?? [])
  printRows(call, table, rows)
}

function find(call: Call): void {
  const table = tableOf(call)
  const [, ...conditions] = call.args
  const rows = call.draft
    .rows(table.name)
    .filter((row) => conditions.every((c) => meets(row, c, call.resolve)))
  printRows(call, table, rows)
}

function printRows(call: Call, table: TableSchema, rows: readonly DraftRow[]): void {
  const columns = parseColumnNames(call.options.get('--columns'), table)
  const cell = (row: DraftRow, name: string) => (name === '_uuid' ? scalar(row.uuid) : row.get(name))
  call.table = { columns, rows: rows.map((row) => columns.map(({ name }) => cell(row, name))) }
}

function get(call: Call): void {
  const table = tableOf(call)
  const [, id, ...columns] = call.args
  const name = call.options.get('--id')
  if (name !== undefined && call.has('--if-exists')) {
    throw new VsctlError('--if-exists and --id may not be specified together')
  }
  const row = rowOf(call, table)
  if (row === undefined) return
  if (name !== undefined) call.session.symbols.name(name, row.uuid)
  for (const argument of columns) {
    if (isUuidColumn(argument)) call.print(row.uuid)
    else printColumn(call, row, id, argument)
  }
}

function printColumn(call: Call, row: DraftRow, id: string, argument: string): void {
  const { column, key } = parseColumnKey(argument, row.table)
  const { name, type } = column
  row.verify(name)
  const datum = row.get(name)
  if (key === undefined) {
    call.print(datumText(datum, type))
    return
  }
  if (type.value === undefined) throw new VsctlError(`cannot specify key to get for non-map column ${name}`)
  const found = mapValue(datum, atomFromText(key, type.key, call.resolve))
  if (found !== undefined) call.print(atomText(found, type.value.type))
  else if (call.has('--if-exists')) call.print('')
  else throw new VsctlError(`no key "${key}" in ${row.table.name} record "${id}" column ${name}`)
}

/** `COLUMN[:KEY]=VALUE`, also where other commands take it. */
export function setColumn(row: DraftRow, argument: string, resolve: ResolveSymbol): void {
  const { column, key, value } = parseColumnKeyValue(argument, row.table)
  checkMutable(row, column)
  const { name, type } = column
  if (key === undefined) {
    row.set(name, datumFromText(value, type, resolve))
    return
  }
  if (type.value === undefined) throw new VsctlError(`cannot specify key to set for non-map column ${name}`)
  const pair: Datum = {
    keys: [atomFromText(key, type.key, resolve)],
    values: [atomFromText(value, type.value, resolve)],
  }
  row.verify(name)
  row.set(name, union(pair, row.get(name)))
}

function set(call: Call): void {
  const row = rowOf(call, tableOf(call))
  if (row === undefined) return
  for (const argument of call.args.slice(2)) setColumn(row, argument, call.resolve)
}

/** The row and column of `add`, `remove`. */
function target(call: Call): { row: DraftRow; column: ColumnSchema } | undefined {
  const table = tableOf(call)
  const column = findColumnOf(table, call.args[2])
  const row = rowOf(call, table)
  if (row === undefined) return undefined
  checkMutable(row, column)
  return { row, column }
}

function refuseCount(
  operation: 'add' | 'remove',
  datum: Datum,
  row: DraftRow,
  { name, type }: ColumnSchema,
): never {
  const what = isMap(type) ? 'pairs' : 'values'
  const limit = operation === 'add' ? `maximum number is ${type.max}` : `minimum number is ${type.min}`
  throw new VsctlError(
    `"${operation}" operation would put ${datum.keys.length} ${what} in column ${name} of table ${row.table.name} but the ${limit}`,
  )
}

function add(call: Call): void {
  const found = target(call)
  if (found === undefined) return
  const { row, column } = found
  const { name, type } = column
  let datum = row.get(name)
  for (const value of call.args.slice(3)) {
    datum = union(datum, datumFromText(value, { ...type, ...UNLIMITED }, call.resolve))
  }
  if (datum.keys.length > type.max) refuseCount('add', datum, row, column)
  row.verify(name)
  row.set(name, datum)
}

function remove(call: Call): void {
  const found = target(call)
  if (found === undefined) return
  const { row, column } = found
  const { name, type } = column
  let datum = row.get(name)
  for (const value of call.args.slice(3)) datum = subtract(datum, removed(value, type, call.resolve))
  if (datum.keys.length < type.min) refuseCount('remove', datum, row, column)
  row.verify(name)
  row.set(name, datum)
}

/** What is to be removed from a map may also be keys. */
function removed(text: string, type: ColumnType, resolve: ResolveSymbol): Datum {
  try {
    return datumFromText(text, { ...type, ...UNLIMITED }, resolve)
  } catch (error) {
    if (!(error instanceof DatumTextError) || !isMap(type)) throw error
    return datumFromText(text, { key: type.key, ...UNLIMITED }, resolve)
  }
}

function clear(call: Call): void {
  const table = tableOf(call)
  const row = rowOf(call, table)
  if (row === undefined) return
  for (const argument of call.args.slice(2)) {
    const column = findColumnOf(table, argument)
    checkMutable(row, column)
    if (column.type.min > 0) {
      throw new VsctlError(
        `"clear" operation cannot be applied to column ${column.name} of table ${table.name}, which is not allowed to be empty`,
      )
    }
    row.set(column.name, isMap(column.type) ? EMPTY_MAP : EMPTY_SET)
  }
}

function create(call: Call): void {
  const table = tableOf(call)
  const id = call.options.get('--id')
  const { draft, session } = call
  if (id === undefined && !table.isRoot) {
    session.warn(
      `applying "create" command to table ${table.name} without --id option will have no effect`,
      MODULE,
    )
  }
  const uuid = id === undefined ? undefined : parseUuid(id)
  const row =
    id === undefined
      ? draft.insert(table.name)
      : draft.insert(table.name, uuid ?? session.symbols.create(id, table.isRoot), uuid !== undefined)
  for (const argument of call.args.slice(1)) setColumn(row, argument, call.resolve)
  call.created = row
}

function destroy(call: Call): void {
  const table = tableOf(call)
  const ids = call.args.slice(1)
  const all = call.has('--all')
  if (all && ids.length > 0)
    throw new VsctlError('--all and records argument should not be specified together')
  if (all && call.has('--if-exists'))
    throw new VsctlError('--all and --if-exists should not be specified together')
  if (!all && ids.length === 0) {
    call.session.warn('either --all or records argument should be specified', MODULE)
    return
  }
  const rows = all ? call.draft.rows(table.name) : ids.flatMap((id) => rowOf(call, table, id) ?? [])
  for (const row of rows) call.draft.delete(row)
}

function waitUntil(call: Call): void {
  const [, id, ...conditions] = call.args
  const row = findRow(call.draft, tableOf(call), id, false)
  if (row === undefined || !conditions.every((condition) => meets(row, condition, call.resolve))) {
    throw new TryAgain()
  }
}

const command = (
  name: string,
  usage: string,
  [min, max]: readonly [number, number],
  options: string,
  run: (call: Call) => void,
): VsctlCommand => ({
  name,
  usage,
  min,
  max,
  options: options.split(' ').filter((o) => o !== ''),
  needs: tableNeeds,
  run,
})

export const DATABASE_COMMANDS: readonly VsctlCommand[] = [
  command('list', 'TABLE [RECORD]...', [1, MANY], '--if-exists --columns=', list),
  command('find', 'TABLE [COLUMN[:KEY]=VALUE]...', [1, MANY], '--columns=', find),
  command('get', 'TABLE RECORD [COLUMN[:KEY]]...', [2, MANY], '--if-exists --id=', get),
  command('set', 'TABLE RECORD COLUMN[:KEY]=VALUE...', [3, MANY], '--if-exists', set),
  command('add', 'TABLE RECORD COLUMN [KEY=]VALUE...', [4, MANY], '--if-exists', add),
  command('remove', 'TABLE RECORD COLUMN KEY|VALUE|KEY=VALUE...', [4, MANY], '--if-exists', remove),
  command('clear', 'TABLE RECORD COLUMN...', [3, MANY], '--if-exists', clear),
  command('create', 'TABLE COLUMN[:KEY]=VALUE...', [2, MANY], '--id=', create),
  command('destroy', 'TABLE [RECORD]...', [1, MANY], '--if-exists --all', destroy),
  command('wait-until', 'TABLE RECORD [COLUMN[:KEY]=VALUE]...', [2, MANY], '', waitUntil),
]
