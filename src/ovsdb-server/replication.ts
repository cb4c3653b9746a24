/**
 * The backup of an active-backup pair (ovsdb(7), "Active-Backup Database Service Model"): what the active server has,
 * the databases here get, transaction by transaction, while clients here may only read. Databases that only one of
 * both servers has, or that differ in their schema, are left alone.
 */

import { equalDatums } from '../../protocols/ovsdb/datum.ts'
import { datumToJson } from '../../protocols/ovsdb/datum-json.ts'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { type Snapshot, snapshotDifference } from '../../protocols/ovsdb/replica.ts'
import type { Row, RowChange } from '../../protocols/ovsdb/row.ts'
import type { TableSchema } from '../../protocols/ovsdb/schema.ts'
import type { Duration } from '../../protocols/time.ts'
import { OvsdbClient } from '../ovsdb/client.ts'
import type { Remote } from '../ovsdb/remote.ts'
import { Replica } from '../ovsdb/replica.ts'
import type { ServedDatabase } from '../ovsdb/served-database.ts'
import type { OvsdbServer } from '../ovsdb/server.ts'
import type { ModuleLog } from '../process/vlog.ts'
import type { Clock } from '../services/scheduler.ts'

export interface ReplicationOptions {
  readonly server: OvsdbServer
  readonly clock: Clock
  readonly log: ModuleLog
  /** The active server. */
  readonly remote: Remote
  /** Tables that are left alone, by databases. */
  readonly excluded: ReadonlyMap<string, ReadonlySet<string>>
  readonly probeInterval: Duration
}

export class Replication {
  readonly #options: ReplicationOptions
  readonly #clients: OvsdbClient[] = []
  /** Databases that are as they are there. */
  readonly #following = new Set<string>()
  #failure: string | undefined

  constructor(options: ReplicationOptions) {
    this.#options = options
    for (const served of options.server.databases.values()) {
      if (!served.name.startsWith('_')) this.#follow(served)
    }
  }

  /** Stops; the databases stay as they are. */
  close(): void {
    for (const client of this.#clients) client.close()
  }

  /** For `sync-status`. */
  get status(): string {
    const { remote, excluded } = this.#options
    if (this.#failure !== undefined) return `Replication to (${remote.name}) failed\n`
    if (this.#following.size === 0) return `connecting: ${remote.name}`
    const tables = [...excluded].flatMap(([database, names]) =>
      [...names].map((table) => `${database}:${table}`),
    )
    const exclusion = tables.length === 0 ? '' : `\nexclude: ${tables.join(',')}`
    return `replicating: ${remote.name}\ndatabase: ${[...this.#following].join(', ')}${exclusion}`
  }

  /** A connection for each database, so that one which is not there keeps no other from being followed. */
  #follow(served: ServedDatabase): void {
    const { clock, remote, log, excluded, probeInterval } = this.#options
    const client = new OvsdbClient({ remotes: [remote], clock, log, probeInterval })
    this.#clients.push(client)
    const without = excluded.get(served.name) ?? new Set()
    const tables = [...served.database.schema.tables.keys()].filter((table) => !without.has(table))
    const wanted = Object.fromEntries(tables.map((table) => [table, undefined]))
    const changed = (changes: readonly RowChange[]) => {
      const theirs = replica.snapshot!
      if (theirs.schema.version !== served.database.schema.version) {
        this.#fail(client, served, 'schema version mismatch')
        return
      }
      // At first, and after each reconnection, what counts is how the two differ.
      const all = this.#following.has(served.name) ? changes : difference(served, theirs, tables)
      this.#following.add(served.name)
      this.#apply(client, served, all)
    }
    const replica: Replica = new Replica(client, { database: served.name, tables: wanted, changed })
    client.start()
  }

  #apply(client: OvsdbClient, served: ServedDatabase, changes: readonly RowChange[]): void {
    if (changes.length === 0) return
    const { tables } = served.database.schema
    const results = served.execute(changes.flatMap((change) => operation(tables.get(change.table)!, change)))
    const error = results.find((result) => typeof result === 'object' && result !== null && 'error' in result)
    if (error !== undefined) this.#fail(client, served, JSON.stringify(error))
  }

  #fail(client: OvsdbClient, served: ServedDatabase, reason: string): void {
    this.#failure = reason
    this.#following.delete(served.name)
    this.#options.log.warn(`${served.name}: replication failed: ${reason}`)
    client.close()
  }
}

function difference(served: ServedDatabase, theirs: Snapshot, tables: readonly string[]): RowChange[] {
  const part = ({ schema, tables: all }: Snapshot): Snapshot => ({
    schema,
    tables: new Map(tables.flatMap((name) => (all.has(name) ? [[name, all.get(name)!]] : []))),
  })
  return snapshotDifference(part(served.database), part(theirs))
}

function operation(table: TableSchema, { uuid, before, after }: RowChange): Json[] {
  const where = [['_uuid', '==', ['uuid', uuid]]]
  if (after === undefined) return [{ op: 'delete', table: table.name, where }]
  const row = columnsOf(table, before, after)
  if (before === undefined) return [{ op: 'insert', table: table.name, uuid, row }]
  return [{ op: 'update', table: table.name, where, row }]
}

function columnsOf(table: TableSchema, before: Row | undefined, after: Row): Json {
  const columns = [...table.columns.values()].filter(
    ({ name }) => before === undefined || !equalDatums(before.columns[name], after.columns[name]),
  )
  return Object.fromEntries(columns.map(({ name, type }) => [name, datumToJson(after.columns[name], type)]))
}

/** `DATABASE:TABLE,…` as tables by database. @throws the reason why it is none */
export function parseExcludedTables(text: string): Map<string, Set<string>> {
  const excluded = new Map<string, Set<string>>()
  for (const word of text.split(/[, ]+/).filter((w) => w !== '')) {
    const [database, table, ...rest] = word.split(':')
    if (!database || !table || rest.length > 0) throw new Error(`invalid syntax: ${word}`)
    excluded.set(database, (excluded.get(database) ?? new Set()).add(table))
  }
  return excluded
}
