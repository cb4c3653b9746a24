/**
 * The backup of an active-backup pair (ovsdb(7), "Active-Backup Database Service Model"): what the active server has,
 * the databases here get, transaction by transaction, while clients here may only read. Databases that only one of
 * both servers has, or that differ in their schema, are left alone.
 */

import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import { type Snapshot, snapshotDifference } from '../../protocols/ovsdb/replica.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'
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
      if (served.consensus === undefined && !served.name.startsWith('_') && served.source === undefined)
        this.#follow(served)
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
    try {
      served.take(changes)
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error
      this.#fail(client, served, error.message)
    }
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
