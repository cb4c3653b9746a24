/** Unique indexes (RFC 7047 §3.2): checked when a transaction ends, so that within it rows may swap values. */

import { rowKey, type UniqueIndex } from './database.ts'
import { datumText, equalDatums } from './datum.ts'
import { constraintViolation, type OvsdbError } from './error.ts'
import { cell, type Row } from './row.ts'
import type { ColumnSchema } from './schema.ts'
import { mayDiffer, type TableEdit, type TouchedRow } from './table-edit.ts'

/** The table's next indexes. Throws when two rows have the same values. */
export function editIndexes(edit: TableEdit): readonly UniqueIndex[] {
  return edit.table.indexes.map((index) => {
    const { columns } = index
    const changed: TouchedRow[] = []
    for (const touched of edit.touched.values()) {
      if (touched.before === undefined || columns.some((column) => mayDiffer(touched, column)))
        changed.push(touched)
    }
    if (changed.length === 0) return index
    const rows = index.rows.edit()
    for (const { before } of changed) if (before !== undefined) rows.delete(rowKey(before, columns))
    for (const { after } of changed) {
      if (after === undefined) continue
      const key = rowKey(after, columns)
      const other = rows.get(key)
      if (other !== undefined) throw duplicate(edit, columns, edit.rows.get(other)!, after)
      rows.set(key, after.uuid)
    }
    return { columns, rows: rows.done() }
  })
}

function alike(a: Row, b: Row, columns: readonly ColumnSchema[]): boolean {
  return columns.every((column) => equalDatums(cell(a, column), cell(b, column)))
}

function duplicate(edit: TableEdit, columns: readonly ColumnSchema[], a: Row, b: Row): OvsdbError {
  const [first, second] = a.uuid < b.uuid ? [a, b] : [b, a]
  const names = `column${columns.length === 1 ? '' : 's'} ${list(columns.map(({ name }) => `"${name}"`))}`
  return constraintViolation(
    `Transaction causes multiple rows in "${edit.name}" table to have identical values (${texts(a, columns)}) for index on ${names}.  First ${history(edit, columns, first)}  Second ${history(edit, columns, second)}`,
  )
}

function history(edit: TableEdit, columns: readonly ColumnSchema[], row: Row): string {
  const touched = edit.touched.get(row.uuid)
  const before = touched?.before
  if (touched === undefined) {
    return `row, with UUID ${row.uuid}, existed in the database before this transaction and was not modified by the transaction.`
  }
  if (before === undefined) return `row, with UUID ${row.uuid}, was inserted by this transaction.`
  if (alike(before, row, columns)) {
    return `row, with UUID ${row.uuid}, existed in the database before this transaction, which modified some of the row's columns but not any columns in this index.`
  }
  return `row, with UUID ${row.uuid}, had the following index values before the transaction: ${texts(before, columns)}.`
}

function texts(row: Row, columns: readonly ColumnSchema[]): string {
  return list(columns.map((column) => datumText(cell(row, column), column.type)))
}

/** "a", "a and b", "a, b, and c". */
function list(words: readonly string[]): string {
  if (words.length < 3) return words.join(' and ')
  return `${words.slice(0, -1).join(', ')}, and ${words.at(-1)}`
}
