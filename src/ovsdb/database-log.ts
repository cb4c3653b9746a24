import type { Database } from '../../protocols/ovsdb/database.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'

/** Where the transactions of a database go, so that they outlive the process. */
export interface DatabaseLog {
  /** Appends a transaction. Throws OvsdbError ("I/O error") when it cannot; then nothing was appended. */
  append(database: Database, changes: readonly RowChange[], comment: string): void
  /** From now on the database has another schema, with these contents. Throws as `append`. */
  replace(database: Database, comment: string): void
  /** Resolves when all that was appended is on the disk; rejects with OvsdbError when that is not to be. */
  sync(): Promise<void>
}
