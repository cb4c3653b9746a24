/** A table of a database as a person reads it: rows called by their names, columns that say nothing left out. */

import { atomText } from '../../protocols/ovsdb/atom.ts'
import type { ColumnType } from '../../protocols/ovsdb/column-type.ts'
import { type Datum, datumText, equalDatums } from '../../protocols/ovsdb/datum.ts'
import type { Snapshot, SnapshotTable } from '../../protocols/ovsdb/replica.ts'
import type { Row } from '../../protocols/ovsdb/row.ts'
import type { ColumnSchema } from '../../protocols/ovsdb/schema.ts'
import { compareNames } from '../compare-names.ts'

/** Columns that tell which row it is, the best first. */
const NAMES = ['name', 'target', 'id', 'type']
/** As many digits of a UUID tell rows apart for a person. */
const SHORT_UUID = 8

export function rowLabel(row: Row): string {
  for (const name of NAMES) {
    const [label] = row.columns[name]?.keys ?? []
    if (label !== undefined && label !== '') return String(label)
  }
  return row.uuid.slice(0, SHORT_UUID)
}

/** A value in which rows are called by their names. */
export function valueText(datum: Datum, type: ColumnType, { tables }: Snapshot): string {
  const { key, value } = type
  if (key.refTable === undefined && value?.refTable === undefined) return datumText(datum, type)
  const called = (uuid: unknown, table: string | undefined) => {
    const row = table === undefined ? undefined : tables.get(table)?.rows.get(String(uuid))
    return row === undefined ? String(uuid).slice(0, SHORT_UUID) : rowLabel(row)
  }
  const keyText = (i: number) =>
    key.refTable === undefined ? atomText(datum.keys[i], key.type) : called(datum.keys[i], key.refTable)
  const elements = datum.keys.map((_, i) =>
    value === undefined ? keyText(i) : `${keyText(i)}=${called(datum.values![i], value.refTable)}`,
  )
  if (value !== undefined) return `{${elements.join(', ')}}`
  return type.max > 1 || elements.length === 0 ? `[${elements.join(', ')}]` : elements[0]
}

export interface TableView {
  readonly columns: readonly ColumnSchema[]
  readonly rows: readonly { readonly uuid: string; readonly cells: readonly string[] }[]
}

/** The columns in which any row has more than its default, what names the rows first; rows in the order of that. */
export function viewTable(snapshot: Snapshot, table: SnapshotTable): TableView {
  const rows = table.rows.values()
  const telling = [...table.schema.columns.values()].filter(({ name }) =>
    rows.some((row) => !equalDatums(row.columns[name], table.defaults[name])),
  )
  const rank = ({ name }: ColumnSchema) => NAMES.indexOf(name) + 1 || NAMES.length + 1
  const columns = telling.sort((a, b) => rank(a) - rank(b) || compareNames(a.name, b.name))
  const cells = (row: Row) => columns.map(({ name, type }) => valueText(row.columns[name], type, snapshot))
  const viewed = rows.map((row) => ({ uuid: row.uuid, cells: cells(row) }))
  return {
    columns,
    rows: viewed.sort(
      (a, b) => compareNames(a.cells[0] ?? '', b.cells[0] ?? '') || compareNames(a.uuid, b.uuid),
    ),
  }
}
