/** A database at one time: a value that shares with the one before all that did not change. */

import type { Atom, AtomicType } from './atom.ts'
import { type ColumnType, hasStrongRefs, hasWeakRefs, isScalar } from './column-type.ts'
import type { Datum } from './datum.ts'
import { checkDatum } from './datum-json.ts'
import { OvsdbError } from './error.ts'
import { PersistentMap } from './persistent-map.ts'
import { cell, defaultColumns, type Row } from './row.ts'
import { type ColumnSchema, type DatabaseSchema, findColumn, type TableSchema } from './schema.ts'
import { Tables } from './tables.ts'
import type { Uuid } from './uuid.ts'

export interface Database {
  readonly schema: DatabaseSchema
  readonly tables: Tables
}

export interface Table {
  readonly schema: TableSchema
  /** What a row holds where it is given nothing. */
  readonly defaults: Readonly<Record<string, Datum>>
  /** Columns that must be given a value, because their default is not allowed. */
  readonly required: readonly ColumnSchema[]
  /** Columns that refer to rows strongly. */
  readonly strongColumns: readonly ColumnSchema[]
  /** Columns that refer to rows weakly. */
  readonly weakColumns: readonly ColumnSchema[]
  readonly rows: PersistentMap<Row>
  readonly indexes: readonly UniqueIndex[]
  /** How many strong references lead to a row, from other rows; absent: none. */
  readonly strongReferences: PersistentMap<number>
  /** For a row the rows that refer to it weakly, each with how often: by `sourceKey`. */
  readonly weakSources: PersistentMap<PersistentMap<number>>
}

export interface UniqueIndex {
  readonly columns: readonly ColumnSchema[]
  /** Rows by `indexKey`. */
  readonly rows: PersistentMap<Uuid>
}

export function emptyDatabase(schema: DatabaseSchema): Database {
  return { schema, tables: Tables.of([...schema.tables.values()].map(emptyTable)) }
}

function emptyTable(schema: TableSchema): Table {
  const defaults = defaultColumns(schema)
  const columns = [...schema.columns.values()]
  return {
    schema,
    defaults,
    required: columns.filter(({ name, type }) => !isAllowed(defaults[name], type)),
    strongColumns: columns.filter(({ type }) => hasStrongRefs(type)),
    weakColumns: columns.filter(({ type }) => hasWeakRefs(type)),
    rows: PersistentMap.empty(),
    indexes: schema.indexes.map((names) => ({
      columns: names.map((name) => findColumn(schema, name)!),
      rows: PersistentMap.empty(),
    })),
    strongReferences: PersistentMap.empty(),
    weakSources: PersistentMap.empty(),
  }
}

function isAllowed(datum: Datum, type: ColumnType): boolean {
  try {
    checkDatum(datum, type)
    return true
  } catch (error) {
    if (error instanceof OvsdbError) return false
    throw error
  }
}

export function sourceKey(table: string, uuid: Uuid): string {
  return `${uuid}${table}`
}

export function sourceOf(key: string): { table: string; uuid: Uuid } {
  return { table: key.slice(36), uuid: key.slice(0, 36) }
}

/** The same text for the same values of these columns, and no other. */
export function indexKey(values: readonly Datum[], columns: readonly ColumnSchema[]): string {
  if (values.length === 1 && isScalar(columns[0].type)) return String(values[0].keys[0])
  return values.map((value, i) => datumKey(value, columns[i].type)).join(';')
}

export function rowKey(row: Row, columns: readonly ColumnSchema[]): string {
  if (columns.length === 1) return indexKey([cell(row, columns[0])], columns)
  return indexKey(
    columns.map((column) => cell(row, column)),
    columns,
  )
}

function datumKey({ keys, values }: Datum, { key, value }: ColumnType): string {
  const text = atomsKey(keys, key.type)
  return values === undefined || value === undefined ? text : `${text}=${atomsKey(values, value.type)}`
}

/** Only strings may have a comma within them. */
function atomsKey(atoms: readonly Atom[], type: AtomicType): string {
  return type === 'string' ? JSON.stringify(atoms) : atoms.join(',')
}
