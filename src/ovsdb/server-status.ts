/**
 * What a server says about itself in its database `_Server` (ovsdb-server(5)): whether it has the database and is
 * connected to its cluster, whether it is the leader, and when any of that changes. Servers before Open vSwitch 2.9
 * have no such database, and need none.
 */

import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { applyUpdates, emptySnapshot, type Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { Row } from '../../protocols/ovsdb/row.ts'
import { type DatabaseSchema, parseSchema } from '../../protocols/ovsdb/schema.ts'
import { schemaOfText } from '../../protocols/ovsdb/schema-text.ts'
import { ServerUnsuitable } from './client.ts'
import { RpcError, type RpcPeer } from './rpc-peer.ts'

const SERVER_DATABASE = '_Server'
const COLUMNS = ['name', 'model', 'connected', 'leader', 'schema']

export class ServerStatus {
  readonly #database: string
  readonly #leaderOnly: boolean
  readonly #unsuitable: (reason: string) => void
  #snapshot: Snapshot | undefined
  #schema: string | undefined
  /** Updates that came in before the reply with which they begin was looked at. */
  #early: Json[] = []
  #monitor = 0

  /** @param unsuitable called when a server with which all was well is not to be stayed with */
  constructor(database: string, leaderOnly: boolean, unsuitable: (reason: string) => void) {
    this.#database = database
    this.#leaderOnly = leaderOnly
    this.#unsuitable = unsuitable
  }

  /** The schema of the database, where the server tells it so. Throws ServerUnsuitable. */
  async connected(peer: RpcPeer): Promise<DatabaseSchema | undefined> {
    this.#snapshot = undefined
    this.#early = []
    const id = [SERVER_DATABASE, this.#database, ++this.#monitor]
    let initial: Json
    let schema: Json
    try {
      schema = await peer.request('get_schema', [SERVER_DATABASE])
      await peer.request('set_db_change_aware', [true])
      initial = await peer.request('monitor', [SERVER_DATABASE, id, { Database: [{ columns: COLUMNS }] }])
    } catch (error) {
      if (error instanceof RpcError) return undefined
      throw error
    }
    this.#snapshot = applyUpdates(emptySnapshot(parseSchema(schema)), initial).snapshot
    for (const updates of this.#early) this.#apply(updates)
    const row = this.#row()
    const reason = this.#complaint(row)
    if (reason !== undefined) throw new ServerUnsuitable(reason)
    this.#schema = row!.columns.schema.keys[0] as string
    return schemaOfText(this.#schema)
  }

  /** @returns whether it was for it */
  notification(method: string, params: readonly Json[]): boolean {
    const [id, updates] = params
    if (method !== 'update' || !Array.isArray(id) || id[0] !== SERVER_DATABASE) return false
    if (id[1] !== this.#database || id[2] !== this.#monitor) return false
    if (this.#snapshot === undefined) {
      this.#early.push(updates)
      return true
    }
    this.#apply(updates)
    const row = this.#row()
    const reason = this.#complaint(row)
    if (reason !== undefined) this.#unsuitable(reason)
    else if (row!.columns.schema.keys[0] !== this.#schema) this.#unsuitable('the schema has changed')
    return true
  }

  #apply(updates: Json): void {
    this.#snapshot = applyUpdates(this.#snapshot!, updates).snapshot
  }

  #row(): Row | undefined {
    const rows = this.#snapshot!.tables.get('Database')!.rows.values()
    return rows.find(({ columns }) => columns.name.keys[0] === this.#database)
  }

  #complaint(row: Row | undefined): string | undefined {
    if (row === undefined) return `server does not have ${this.#database} database`
    const flag = (column: string) => row.columns[column].keys[0] === true
    const relayed = row.columns.model.keys[0] === 'relay'
    if (row.columns.schema.keys.length === 0) {
      return relayed
        ? 'relay database server has not yet connected to the relay source; trying another server'
        : 'the database has no schema yet'
    }
    if (relayed && !flag('connected'))
      return 'relay database server is disconnected from the relay source; trying another server'
    if (relayed && this.#leaderOnly) return 'relay database server cannot be a leader; trying another server'
    if (row.columns.model.keys[0] !== 'clustered') return undefined
    if (!flag('connected'))
      return 'clustered database server is disconnected from cluster; trying another server'
    if (this.#leaderOnly && !flag('leader'))
      return 'clustered database server is not cluster leader; trying another server'
    return undefined
  }
}
