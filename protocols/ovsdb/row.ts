import { type Datum, defaultDatum, scalar } from './datum.ts'
import type { ColumnSchema, TableSchema } from './schema.ts'
import type { Uuid } from './uuid.ts'

/** One row at one time: a value, never changed. */
export interface Row {
  readonly uuid: Uuid
  /** Changes with every change of the row. */
  readonly version: Uuid
  /** Every column of the table by its name, without `_uuid` and `_version`. */
  readonly columns: Readonly<Record<string, Datum>>
}

/** What happened to a row: inserted without `before`, deleted without `after`, else modified. */
export interface RowChange {
  readonly table: string
  readonly uuid: Uuid
  readonly before?: Row
  readonly after?: Row
  /** Where it is known: the columns that may differ from before, or of a new row from the defaults. */
  readonly written?: readonly string[]
}

/** The row's value in any column, `_uuid` and `_version` included. */
export function cell(row: Row, column: ColumnSchema): Datum {
  if (column.name === '_uuid') return scalar(row.uuid)
  if (column.name === '_version') return scalar(row.version)
  return row.columns[column.name]
}

/** What a row of the table holds where it was given nothing. */
export function defaultColumns(table: TableSchema): Readonly<Record<string, Datum>> {
  return Object.fromEntries([...table.columns.values()].map(({ name, type }) => [name, defaultDatum(type)]))
}
