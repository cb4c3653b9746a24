import { type Database, emptyDatabase } from './database.ts'
import type { Datum } from './datum.ts'
import { datumToJson, parseDatum } from './datum-json.ts'
import type { DatabaseSchema } from './schema.ts'
import { Transaction } from './transaction.ts'
import type { Uuid } from './uuid.ts'

/**
 * The contents of a database under another schema (ovsdb-server(7), "convert"): tables and columns that it has
 * not are dropped, new columns get their defaults. Throws OvsdbError when the rest does not fit.
 * @param version of all rows
 */
export function convertDatabase(from: Database, schema: DatabaseSchema, version: Uuid): Database {
  const transaction = new Transaction(emptyDatabase(schema))
  for (const [name, source] of from.tables) {
    const target = schema.tables.get(name)
    if (target === undefined) continue
    const kept = [...source.schema.columns.values()].flatMap((column) => {
      const next = target.columns.get(column.name)
      return next === undefined ? [] : [{ name: column.name, from: column.type, to: next.type }]
    })
    const edit = transaction.edit(name)
    source.rows.forEach((row) => {
      const columns: Record<string, Datum> = {}
      for (const { name: column, from: type, to } of kept) {
        columns[column] = parseDatum(datumToJson(row.columns[column], type), to)
      }
      edit.insert(edit.newRow(row.uuid, version, columns), Object.keys(columns))
    })
  }
  return transaction.commit(version).database
}
