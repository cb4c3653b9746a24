import { type Database, emptyDatabase } from '../../protocols/ovsdb/database.ts'
import type { Json, JsonObject } from '../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../protocols/ovsdb/schema.ts'
import { LAB_SCHEMA } from '../../protocols/ovsdb/schemas/lab.ts'
import { OPEN_VSWITCH } from '../../protocols/ovsdb/schemas/open-vswitch.ts'
import { transact } from '../../protocols/ovsdb/transact.ts'

const SCHEMAS = {
  ovs: parseSchema(OPEN_VSWITCH as unknown as Json),
  lab: parseSchema(LAB_SCHEMA as unknown as Json),
}

export function empty(which: keyof typeof SCHEMAS): Database {
  return emptyDatabase(SCHEMAS[which])
}

let uuids = 0

/** The database after these operations. @throws what the first that failed has said */
export function done(database: Database, operations: readonly JsonObject[]): Database {
  const newUuid = () => `00000000-0000-4000-8000-${(uuids++).toString(16).padStart(12, '0')}`
  const outcome = transact(database, operations, { newUuid })
  if (outcome.status !== 'done') throw new Error('it waits')
  const failure = outcome.results.find((result) => result !== null && 'error' in (result as JsonObject))
  if (failure !== undefined) throw new Error(JSON.stringify(failure))
  return outcome.database
}
