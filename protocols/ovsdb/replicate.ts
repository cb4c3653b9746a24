import type { Database } from './database.ts'
import type { RowChange } from './row.ts'
import { type Committed, Transaction } from './transaction.ts'
import type { Uuid } from './uuid.ts'

/**
 * What changes make of a database that another server has made of its own.
 * @param version of the rows that have changed
 * @throws OvsdbError when the result is no database of this schema
 */
export function replicate(database: Database, changes: readonly RowChange[], version: Uuid): Committed {
  const transaction = new Transaction(database)
  for (const { table, uuid, after } of changes) {
    const edit = transaction.edit(table)
    const before = edit.rows.get(uuid)
    if (after === undefined) {
      if (before !== undefined) edit.delete(uuid)
    } else if (before === undefined) {
      edit.insert(edit.newRow(uuid, version, after.columns), Object.keys(after.columns))
    } else {
      edit.modify(before, after.columns)
    }
  }
  return transaction.commit(version)
}
