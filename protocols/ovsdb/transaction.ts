import type { Database, Table } from './database.ts'
import { equalDatums } from './datum.ts'
import { constraintViolation } from './error.ts'
import type { Row, RowChange } from './row.ts'
import { collectGarbage, countStrongReferences } from './strong-references.ts'
import { TableEdit, type TouchedRow } from './table-edit.ts'
import { editIndexes } from './unique-index.ts'
import type { Uuid } from './uuid.ts'
import { dropDanglingReferences, editWeakSources } from './weak-references.ts'

export interface Committed {
  readonly database: Database
  /** Every row that differs, in no particular order; none when the transaction changed nothing. */
  readonly changes: readonly RowChange[]
}

/** A database on its way to the next value. Until `commit` the database itself is untouched. */
export class Transaction {
  readonly #database: Database
  readonly #edits = new Map<string, TableEdit>()

  constructor(database: Database) {
    this.#database = database
  }

  get database(): Database {
    return this.#database
  }

  /** A table of the schema. */
  edit(name: string): TableEdit {
    const known = this.#edits.get(name)
    if (known !== undefined) return known
    const edit = new TableEdit(this.#database.tables.get(name)!)
    this.#edits.set(name, edit)
    return edit
  }

  edits(): TableEdit[] {
    return [...this.#edits.values()]
  }

  /**
   * Checks what a transaction as a whole must meet and collects the rows that nobody refers to any more, in the
   * order of RFC 7047 §4.1.3. Throws the error that follows the results of the operations.
   * @param version of the rows that have changed
   */
  commit(version: Uuid): Committed {
    for (const edit of this.edits()) forgetUnchanged(edit)
    countStrongReferences(this)
    collectGarbage(this)
    for (const edit of this.edits()) checkRowCount(edit)
    dropDanglingReferences(this)
    const indexes = new Map(this.edits().map((edit) => [edit.name, editIndexes(edit)]))
    for (const edit of this.edits()) renewVersions(edit, version)
    const weakSources = editWeakSources(this)

    const changes: RowChange[] = []
    const tables = new Map<string, Table>(this.#database.tables)
    for (const edit of this.edits()) {
      for (const touched of edit.touched.values()) changes.push(changeOf(edit.name, touched))
      tables.set(edit.name, {
        ...edit.table,
        rows: edit.rows.done(),
        strongReferences: edit.strongReferences.done(),
        indexes: indexes.get(edit.name) ?? edit.table.indexes,
        weakSources: weakSources.get(edit.name)?.done() ?? edit.table.weakSources,
      })
    }
    if (changes.length === 0) return { database: this.#database, changes }
    return { database: { schema: this.#database.schema, tables }, changes }
  }
}

function forgetUnchanged(edit: TableEdit): void {
  for (const touched of edit.touched.values()) {
    const { before, after } = touched
    if (before === undefined || after === undefined) continue
    if (sameColumns(before, after, edit.table)) edit.forget(touched)
  }
}

function sameColumns(a: Row, b: Row, { schema }: Table): boolean {
  if (a.columns === b.columns) return true
  for (const name of schema.columns.keys()) if (!equalDatums(a.columns[name], b.columns[name])) return false
  return true
}

function checkRowCount({ name, rows, table }: TableEdit): void {
  const { maxRows } = table.schema
  if (rows.size > maxRows) {
    throw constraintViolation(
      `transaction causes "${name}" table to contain ${rows.size} rows, greater than the schema-defined limit of ${maxRows} row(s)`,
    )
  }
}

function renewVersions(edit: TableEdit, version: Uuid): void {
  for (const { before, after } of edit.touched.values()) {
    if (before !== undefined && after !== undefined) edit.replace({ ...after, version })
  }
}

function changeOf(table: string, { uuid, before, after }: TouchedRow): RowChange {
  if (before === undefined) return after === undefined ? { table, uuid } : { table, uuid, after }
  return after === undefined ? { table, uuid, before } : { table, uuid, before, after }
}
