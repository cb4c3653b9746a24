import type { Database, Table, UniqueIndex } from './database.ts'
import { equalDatums } from './datum.ts'
import { constraintViolation } from './error.ts'
import type { RowChange } from './row.ts'
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

  /** Those that something was asked of; it may become more while one walks through them. */
  edits(): Iterable<TableEdit> {
    return this.#edits.values()
  }

  /** The table, if something was asked of it. */
  edited(name: string): TableEdit | undefined {
    return this.#edits.get(name)
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
    const indexes = new Map<TableEdit, readonly UniqueIndex[]>()
    for (const edit of this.edits()) if (edit.touched.size > 0) indexes.set(edit, editIndexes(edit))
    for (const edit of this.edits()) renewVersions(edit, version)
    const weakSources = editWeakSources(this)

    const changes: RowChange[] = []
    for (const edit of this.edits()) {
      for (const touched of edit.touched.values()) changes.push(changeOf(edit.name, touched))
    }
    if (changes.length === 0) return { database: this.#database, changes }
    const tables: Table[] = []
    for (const edit of this.edits()) {
      const { table } = edit
      const rows = edit.rows.done()
      const strongReferences = edit.strongReferences.done()
      const sources = weakSources.get(edit.name)?.done() ?? table.weakSources
      const same =
        rows === table.rows && strongReferences === table.strongReferences && sources === table.weakSources
      if (same) continue
      const { schema, defaults, required, strongColumns, weakColumns } = table
      tables.push({
        schema,
        defaults,
        required,
        strongColumns,
        weakColumns,
        rows,
        strongReferences,
        indexes: indexes.get(edit) ?? table.indexes,
        weakSources: sources,
      })
    }
    const { schema } = this.#database
    return { database: { schema, tables: this.#database.tables.with(tables) }, changes }
  }
}

function forgetUnchanged(edit: TableEdit): void {
  for (const touched of edit.touched.values()) {
    const { before, after, written } = touched
    if (before === undefined || after === undefined) continue
    if (written.every((name) => equalDatums(before.columns[name], after.columns[name]))) edit.forget(touched)
  }
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
  for (const touched of edit.touched.values()) {
    if (touched.before !== undefined && touched.after !== undefined) edit.renew(touched, version)
  }
}

function changeOf(table: string, { uuid, before, after, written }: TouchedRow): RowChange {
  if (before === undefined) return after === undefined ? { table, uuid } : { table, uuid, after, written }
  return after === undefined ? { table, uuid, before } : { table, uuid, before, after, written }
}
