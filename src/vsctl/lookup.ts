/** Tables, columns and rows as they are named on a command line: by beginnings, in any case, by names and UUIDs. */

import { TextReader } from '../../protocols/ovsdb/datum-from-text.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import { type ColumnSchema, findColumn, type TableSchema, UUID_COLUMN } from '../../protocols/ovsdb/schema.ts'
import { parseUuid } from '../../protocols/ovsdb/uuid.ts'
import { type Needs, VsctlError } from './command.ts'
import type { Draft, DraftRow } from './draft.ts'

/** How much of `name` was typed; the whole, or in other letters, counts for more. */
function score(name: string, typed: string): number {
  if (name === typed) return Number.POSITIVE_INFINITY
  const plain = (text: string) => text.toLowerCase().replaceAll('-', '_')
  if (plain(name) === plain(typed)) return Number.MAX_SAFE_INTEGER
  return plain(name).startsWith(plain(typed)) ? typed.length : 0
}

function bestMatches(names: Iterable<string>, typed: string): string[] {
  const scored = [...names].map((name) => [name, score(name, typed)] as const)
  const best = Math.max(0, ...scored.map(([, s]) => s))
  return best === 0 ? [] : scored.filter(([, s]) => s === best).map(([name]) => name)
}

export function findTableName(names: Iterable<string>, typed: string): string {
  const matches = bestMatches(names, typed)
  if (matches.length === 0) throw new VsctlError(`unknown table "${typed}"`)
  if (matches.length > 1) {
    throw new VsctlError(`"${typed}" matches multiple table names: ${matches.sort().join(', ')}`)
  }
  return matches[0]
}

export function findTable({ tables }: Snapshot, typed: string): TableSchema {
  return tables.get(findTableName(tables.keys(), typed))!.schema
}

export function findColumnOf(table: TableSchema, typed: string): ColumnSchema {
  const matches = bestMatches(table.columns.keys(), typed)
  if (matches.length === 0) {
    throw new VsctlError(`${table.name} does not contain a column whose name matches "${typed}"`)
  }
  if (matches.length > 1) {
    const list = matches.sort().join(', ')
    throw new VsctlError(`${table.name} contains more than one column whose name matches "${typed}": ${list}`)
  }
  return findColumn(table, matches[0])!
}

/** Where a row's name stands: in a column of its table, or of one that refers to it. */
interface RowName {
  readonly table: string
  readonly column: string
  /** The column that refers to the row. */
  readonly reference?: string
}

const ROW_NAMES: Readonly<Record<string, RowName>> = {
  Bridge: { table: 'Bridge', column: 'name' },
  Controller: { table: 'Bridge', column: 'name', reference: 'controller' },
  Interface: { table: 'Interface', column: 'name' },
  Mirror: { table: 'Mirror', column: 'name' },
  Manager: { table: 'Manager', column: 'target' },
  NetFlow: { table: 'Bridge', column: 'name', reference: 'netflow' },
  Port: { table: 'Port', column: 'name' },
  QoS: { table: 'Port', column: 'name', reference: 'qos' },
  sFlow: { table: 'Bridge', column: 'name', reference: 'sflow' },
  Flow_Table: { table: 'Flow_Table', column: 'name' },
  IPFIX: { table: 'Bridge', column: 'name', reference: 'ipfix' },
  AutoAttach: { table: 'Bridge', column: 'name', reference: 'auto_attach' },
  Flow_Sample_Collector_Set: { table: 'Flow_Sample_Collector_Set', column: 'id' },
}

/** What it takes to read rows of a table and to find them by their names. */
export function needsOf(table: string): Needs {
  const name = ROW_NAMES[table]
  const names =
    name === undefined || name.table === table ? {} : { [name.table]: [name.column, name.reference!] }
  return { ...names, [table]: undefined }
}

/** At least so much of a UUID. */
const SHORTEST_UUID = 4
const PARTIAL_UUID = /^[0-9a-f]{4}[0-9a-f-]*$/

/** @returns undefined when there is none and `mustExist` is false */
export function findRow(
  draft: Draft,
  table: TableSchema,
  id: string,
  mustExist: boolean,
): DraftRow | undefined {
  const row =
    byUuid(draft, table, id) ??
    onlyRow(draft, table, id) ??
    byName(draft, table, id) ??
    byPart(draft, table, id)
  if (row === undefined && mustExist) throw new VsctlError(`no row "${id}" in table ${table.name}`)
  return row
}

function byUuid(draft: Draft, table: TableSchema, id: string): DraftRow | undefined {
  const uuid = parseUuid(id)
  return uuid === undefined ? undefined : draft.row(table.name, uuid)
}

function onlyRow(draft: Draft, table: TableSchema, id: string): DraftRow | undefined {
  const rows = id === '.' ? draft.rows(table.name) : []
  return rows.length === 1 ? rows[0] : undefined
}

function byName(draft: Draft, table: TableSchema, id: string): DraftRow | undefined {
  const where = ROW_NAMES[table.name]
  if (where === undefined || !draft.snapshot.tables.has(where.table)) return undefined
  const isNamed = (row: DraftRow) => {
    const { keys } = row.get(where.column)
    const name = keys.length === 1 ? String(keys[0]) : undefined
    if (name === id) return true
    return (
      name !== undefined && parseUuid(name) !== undefined && id.length >= SHORTEST_UUID && name.startsWith(id)
    )
  }
  const named = draft.rows(where.table).filter(isNamed)
  if (named.length > 1) throw new VsctlError(`multiple rows in ${where.table} match "${id}"`)
  if (named.length === 0 || where.reference === undefined) return named[0]
  named[0].verify(where.reference)
  const { keys } = named[0].get(where.reference)
  return keys.length === 1 ? draft.row(table.name, String(keys[0])) : undefined
}

function byPart(draft: Draft, table: TableSchema, id: string): DraftRow | undefined {
  if (!PARTIAL_UUID.test(id)) return undefined
  const matching = draft.rows(table.name).filter(({ uuid }) => uuid.startsWith(id))
  if (matching.length > 1) {
    const [a, b] = matching
    throw new VsctlError(
      `${table.name} contains 2 or more rows whose UUIDs begin with ${id}: at least ${a.uuid} and ${b.uuid}`,
    )
  }
  return matching[0]
}

export interface ColumnArgument {
  readonly column: ColumnSchema
  readonly key: string | undefined
  /** One of those that are allowed. */
  readonly operator: string
  readonly value: string
}

/** `COLUMN[:KEY]`. */
export function parseColumnKey(argument: string, table: TableSchema): Pick<ColumnArgument, 'column' | 'key'> {
  const reader = new TextReader(argument)
  const head = columnAndKey(reader, argument, table)
  if (reader.rest === '') return head
  throw new VsctlError(`${argument}: trailing garbage "${reader.rest}" in argument`)
}

/** `COLUMN[:KEY]OPERATOR VALUE`, without spaces. */
export function parseColumnKeyValue(
  argument: string,
  table: TableSchema,
  operators: readonly string[] = ['='],
): ColumnArgument {
  const reader = new TextReader(argument)
  const head = columnAndKey(reader, argument, table)
  const { rest } = reader
  // The longest of those that have something behind them.
  const operator = operators
    .filter((o) => rest.startsWith(o) && rest.length > o.length)
    .sort((a, b) => b.length - a.length)[0]
  if (operator === undefined) throw new VsctlError(missingOperator(argument, operators))
  return { ...head, operator, value: rest.slice(operator.length) }
}

function columnAndKey(reader: TextReader, argument: string, table: TableSchema) {
  const name = reader.token()
  if (name === '') throw new VsctlError(`${argument}: missing column name`)
  const column = findColumnOf(table, name)
  return { column, key: reader.take(':') ? reader.token() : undefined }
}

function missingOperator(argument: string, operators: readonly string[]): string {
  const quoted = operators.map((o) => `"${o}"`)
  const list =
    quoted.length < 3 ? quoted.join(' or ') : `${quoted.slice(0, -1).join(', ')}, or ${quoted.at(-1)}`
  return `${argument}: argument does not end in ${list} followed by a value.`
}

/** Columns by their names, separated by commas or spaces; all of them, the UUID first, when there are no names. */
export function parseColumnNames(names: string | undefined, table: TableSchema): ColumnSchema[] {
  if (names === undefined) {
    const byName = [...table.columns.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    return [UUID_COLUMN, ...byName]
  }
  const words = names.split(/[, ]+/).filter((word) => word !== '')
  if (words.length === 0) throw new VsctlError('must specify at least one column name')
  return words.map((word) => (word.toLowerCase() === '_uuid' ? UUID_COLUMN : findColumnOf(table, word)))
}
