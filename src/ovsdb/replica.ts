/**
 * A client's copy of a database, or of some of its tables and columns, kept up to date by the server. After a lost
 * connection it asks for what it has missed; a server that cannot tell (any standalone one) sends everything, and
 * what is different is told as changes. Of a cluster only the leader will do, unless told otherwise: the others may
 * lag behind. Works with servers of any age: "monitor_cond_since", or "monitor_cond", or "monitor".
 */

import { isJsonObject, type Json, type JsonObject } from '../../protocols/ovsdb/json-text.ts'
import {
  applyUpdates,
  applyUpdates2,
  emptySnapshot,
  type Snapshot,
  snapshotDifference,
  type Updated,
} from '../../protocols/ovsdb/replica.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'
import { type DatabaseSchema, parseSchema, schemaToJson } from '../../protocols/ovsdb/schema.ts'
import { type Uuid, ZERO_UUID } from '../../protocols/ovsdb/uuid.ts'
import type { Attachment, OvsdbClient } from './client.ts'
import { RpcError, type RpcPeer } from './rpc-peer.ts'
import { ServerStatus } from './server-status.ts'

export interface ReplicaOptions {
  readonly database: string
  /** Tables by name with the columns that are wanted, all of them where there is no list; default: all tables. */
  readonly tables?: Readonly<Record<string, readonly string[] | undefined>>
  /** Default true. */
  readonly leaderOnly?: boolean
  /**
   * Called after each update with what has changed, and after each (re)connection, when perhaps nothing has. What a
   * transaction has changed is told before the transaction is answered.
   */
  readonly changed: (changes: readonly RowChange[]) => void
  /** Makes of what has come that what is kept of it; default: nothing else. Whatever it throws has all sent anew. */
  readonly keep?: (updated: Updated) => Snapshot
}

type Method = 'monitor_cond_since' | 'monitor_cond' | 'monitor'
const METHODS: readonly Method[] = ['monitor_cond_since', 'monitor_cond', 'monitor']

export class Replica implements Attachment {
  readonly #client: OvsdbClient
  readonly #options: ReplicaOptions
  readonly #status: ServerStatus
  #snapshot: Snapshot | undefined
  /** Of the last transaction that is in the snapshot, where the server has such numbers. */
  #lastTransaction = ZERO_UUID
  #live = false
  /** Updates that came in before the reply with which they begin was looked at. */
  #early: (readonly [method: string, params: readonly Json[]])[] = []
  /** Each connection has its own, so that updates of one that is gone are nobody's. */
  #monitor = 0

  /** To be called before the client is started. */
  constructor(client: OvsdbClient, options: ReplicaOptions) {
    this.#client = client
    this.#options = options
    this.#status = new ServerStatus(options.database, options.leaderOnly ?? true, (reason) =>
      this.#reconnectSoon(reason),
    )
    client.attach(this)
  }

  /** The database as it is known, also while there is no connection; undefined before the first. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot
  }

  /** Of the last transaction that is in the snapshot; undefined where the server has no such ids. */
  get lastTransaction(): Uuid | undefined {
    return this.#lastTransaction === ZERO_UUID ? undefined : this.#lastTransaction
  }

  /** Whether the snapshot is that of a server that is connected now. */
  get live(): boolean {
    return this.#live
  }

  /** Results of the operations, errors among them. When it resolves, the snapshot has what it has changed. */
  transact(operations: readonly Json[]): Promise<readonly Json[]> {
    return this.#client.transact(this.#options.database, operations)
  }

  async connected(peer: RpcPeer): Promise<void> {
    const { database } = this.#options
    this.#monitor++
    const told = await this.#status.connected(peer)
    const theirs = told ?? parseSchema(await peer.request('get_schema', [database]))
    const known = this.#snapshot !== undefined && sameSchema(this.#snapshot.schema, theirs)
    const schema = known ? this.#snapshot!.schema : theirs
    if (!known) this.#lastTransaction = ZERO_UUID
    const [method, reply] = await this.#request(peer, schema)
    const base = known ? this.#snapshot! : emptySnapshot(schema)
    this.#begin(schema, base, method, reply)
    for (const [name, params] of this.#early.splice(0)) this.#update(name, params)
  }

  notification(method: string, params: readonly Json[]): boolean {
    if (this.#status.notification(method, params)) return true
    const [id] = params
    if (!Array.isArray(id) || id[0] !== this.#options.database || id[1] !== this.#monitor) return false
    if (method === 'monitor_canceled') this.#reconnectSoon('the server has ended the monitor')
    else if (this.#live) this.#update(method, params)
    else this.#early.push([method, params])
    return true
  }

  disconnected(): void {
    this.#live = false
    this.#early = []
  }

  /** A reply that has come along with the reason is still heard. */
  #reconnectSoon(reason: string): void {
    setImmediate(() => this.#client.reconnect(reason))
  }

  async #request(peer: RpcPeer, schema: DatabaseSchema): Promise<readonly [Method, Json]> {
    const { database } = this.#options
    const params = [database, [database, this.#monitor], this.#wanted(schema)]
    for (const method of METHODS) {
      try {
        const more = method === 'monitor_cond_since' ? [this.#lastTransaction] : []
        return [method, await peer.request(method, [...params, ...more])]
      } catch (error) {
        if (!isUnknownMethod(error) || method === 'monitor') throw error
      }
    }
    throw new Error('unreachable')
  }

  /** <monitor-requests> for what the server has of what is wanted. */
  #wanted(schema: DatabaseSchema): Json {
    const wanted = Object.entries(
      this.#options.tables ?? Object.fromEntries([...schema.tables.keys()].map((t) => [t, undefined])),
    )
    const requests = wanted.flatMap(([name, columns]) => {
      const table = schema.tables.get(name)
      if (table === undefined) return []
      const present = columns?.filter((column) => table.columns.has(column)) ?? [...table.columns.keys()]
      return [[name, [{ columns: present }]]] as const
    })
    return Object.fromEntries(requests)
  }

  #begin(schema: DatabaseSchema, base: Snapshot, method: Method, reply: Json): void {
    let updated: Updated
    if (method === 'monitor_cond_since') {
      const [found, transaction, updates] = reply as [boolean, string, Json]
      this.#lastTransaction = transaction
      updated = applyUpdates2(found ? base : emptySnapshot(schema), updates)
      if (!found) updated = replacing(this.#snapshot, updated.snapshot)
    } else {
      const applied = method === 'monitor' ? applyUpdates : applyUpdates2
      updated = replacing(this.#snapshot, applied(emptySnapshot(schema), reply).snapshot)
    }
    this.#live = true
    this.#take(updated)
  }

  #update(method: string, params: readonly Json[]): void {
    try {
      const updates = params.at(-1)!
      if (method === 'update3') this.#lastTransaction = params[1] as string
      this.#take((method === 'update' ? applyUpdates : applyUpdates2)(this.#snapshot!, updates))
    } catch (error) {
      // What no longer fits together is asked for anew.
      this.#lastTransaction = ZERO_UUID
      this.#client.reconnect((error as Error).message)
    }
  }

  #take(updated: Updated): void {
    const { keep, changed } = this.#options
    try {
      this.#snapshot = keep?.(updated) ?? updated.snapshot
    } catch (error) {
      this.#lastTransaction = ZERO_UUID
      throw error
    }
    changed(updated.changes)
  }
}

function replacing(before: Snapshot | undefined, snapshot: Snapshot): Updated {
  return { snapshot, changes: snapshotDifference(before ?? emptySnapshot(snapshot.schema), snapshot) }
}

function isUnknownMethod(error: unknown): boolean {
  if (!(error instanceof RpcError)) return false
  return isJsonObject(error.error) && (error.error as JsonObject).error === 'unknown method'
}

function sameSchema(a: DatabaseSchema, b: DatabaseSchema): boolean {
  return a === b || JSON.stringify(schemaToJson(a)) === JSON.stringify(schemaToJson(b))
}
