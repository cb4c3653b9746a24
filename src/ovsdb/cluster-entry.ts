/** What the log of a cluster has of a database: `[SCHEMA, TRANSACTION]`, of which either may be null (ovsdb(5), `<cluster-txn>`). */

import type { Database } from '../../protocols/ovsdb/database.ts'
import { OvsdbError, syntaxError } from '../../protocols/ovsdb/error.ts'
import { isJsonObject, type Json, type JsonObject } from '../../protocols/ovsdb/json-text.ts'
import { isArray } from '../../protocols/ovsdb/json-value.ts'
import { readJson } from '../../protocols/ovsdb/log-record.ts'
import { databaseRecord } from '../../protocols/ovsdb/log-transaction.ts'
import { type DatabaseSchema, parseSchema, schemaToJson } from '../../protocols/ovsdb/schema.ts'
import type { Instant } from '../../protocols/time.ts'

export interface EntryData {
  /** The database is another from here on. */
  readonly schema: DatabaseSchema | undefined
  readonly record: JsonObject | undefined
}

/** @param name of the database. @throws OvsdbError */
export function parseEntryData(data: Json | undefined, name: string): EntryData {
  if (!isArray(data) || data.length !== 2) throw new OvsdbError('ovsdb error', 'invalid commit format')
  const schema = data[0] === null ? undefined : parseSchema(data[0])
  if (schema !== undefined && schema.name !== name) {
    const text = `name ${name} in header does not match name ${schema.name} in schema`
    throw new OvsdbError('ovsdb error', text)
  }
  return { schema, record: isJsonObject(data[1]) ? data[1] : undefined }
}

/** An entry that has all of a database. */
export function wholeEntry(database: Database, date: Instant, comment: string): readonly Json[] {
  return [schemaToJson(database.schema), readJson([...databaseRecord(database, date, comment)].join(''))]
}

/** What only one server would know cannot be agreed upon. @throws OvsdbError */
export function refuseEphemeral({ tables }: DatabaseSchema): void {
  for (const table of tables.values()) {
    for (const { name, ephemeral } of table.columns.values()) {
      if (!ephemeral) continue
      throw syntaxError(
        undefined,
        `Table ${table.name} column ${name} is ephemeral but clustered databases do not support ephemeral columns.`,
      )
    }
  }
}
