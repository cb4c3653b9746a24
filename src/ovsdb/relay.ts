/**
 * A database that is another server's (ovsdb(7), "Relay Service Model"): read from a copy here that is kept up to date,
 * written to there. While the other server cannot be reached the copy is still read, and what would write waits.
 */

import { emptyDatabase } from '../../protocols/ovsdb/database.ts'
import {
  emptySnapshot,
  type Snapshot,
  snapshotDifference,
  type Updated,
} from '../../protocols/ovsdb/replica.ts'
import { replicate } from '../../protocols/ovsdb/replicate.ts'
import { type Duration, SECOND } from '../../protocols/time.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import { type Attachment, OvsdbClient } from './client.ts'
import type { Remote } from './remote.ts'
import { Replica } from './replica.ts'
import type { ServedDatabase } from './served-database.ts'
import type { OvsdbServer } from './server.ts'

/** For so long a relay that has lost its source passes for connected, as it may soon be again. */
const GRACE: Duration = 30 * SECOND

export interface RelayOptions {
  readonly server: OvsdbServer
  readonly clock: Clock
  readonly log?: { info(text: string): void; warn(text: string): void } | undefined
  /** Of the database, here and there. */
  readonly name: string
  /** Servers that have it. */
  readonly remotes: readonly Remote[]
}

export class Relay implements Attachment {
  readonly #options: RelayOptions
  readonly #client: OvsdbClient
  readonly #replica: Replica
  #served: ServedDatabase | undefined
  #graceEnds: Cancel | undefined

  constructor(options: RelayOptions) {
    const { server, clock, log, name, remotes } = options
    this.#options = options
    this.#client = new OvsdbClient({ remotes, clock, ...(log === undefined ? {} : { log }) })
    this.#replica = new Replica(this.#client, {
      database: name,
      leaderOnly: false,
      changed: () => this.#tell(true),
      keep: (updated) => this.#keep(updated),
    })
    this.#client.attach(this)
    server.expect(name, { model: 'relay', connected: false, leader: false })
    this.#client.start()
  }

  async connected(): Promise<void> {}

  notification(): boolean {
    return false
  }

  disconnected(): void {
    const { clock } = this.#options
    if (this.#served === undefined || this.#graceEnds !== undefined) return
    this.#graceEnds = clock.schedule(clock.now() + GRACE, () => this.#tell(false))
  }

  /** Takes it from the server. */
  close(): void {
    this.#served = undefined
    this.#graceEnds?.()
    this.#client.close()
    this.#options.server.remove(this.#options.name)
  }

  #tell(connected: boolean): void {
    const { server, name } = this.#options
    this.#graceEnds?.()
    this.#graceEnds = undefined
    server.setStatus(name, { model: 'relay', connected, leader: false })
  }

  /** The copy that is served is also what is known of the source. */
  #keep({ snapshot, changes }: Updated): Snapshot {
    const { server } = this.#options
    const lastId = this.#replica.lastTransaction
    const { schema } = snapshot
    if (this.#served?.database.schema === schema) {
      this.#served.take(changes, lastId)
    } else {
      const all = snapshotDifference(emptySnapshot(schema), snapshot)
      const { database } = replicate(emptyDatabase(schema), all, server.newUuid())
      if (this.#served === undefined) this.#served = server.add(database, { source: this.#client, lastId })
      else this.#served.replace(database, '', lastId)
    }
    return this.#served.database
  }
}
