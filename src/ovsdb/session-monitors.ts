import { syntaxError } from '../../protocols/ovsdb/error.ts'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { canonicalText } from '../../protocols/ovsdb/json-value.ts'
import { Monitor, type MonitorVersion } from '../../protocols/ovsdb/monitor.ts'
import { parseUuid, ZERO_UUID } from '../../protocols/ovsdb/uuid.ts'
import { RpcError } from './rpc-peer.ts'
import type { ServedDatabase } from './served-database.ts'

const NOTIFICATION = { 1: 'update', 2: 'update2', 3: 'update3' } as const

/** To whom monitors report. */
export interface MonitorClient {
  notify(method: string, params: readonly Json[]): void
  /** There is something to `flush`. */
  changed(): void
  /** The database of a monitor has another schema; the monitor is gone. */
  canceled(id: Json): void
}

interface Entry {
  readonly id: Json
  readonly served: ServedDatabase
  readonly monitor: Monitor
  readonly stop: () => void
}

/** The monitors of one client, by the ids that it gave them. */
export class SessionMonitors {
  readonly #client: MonitorClient
  readonly #entries = new Map<string, Entry>()

  constructor(client: MonitorClient) {
    this.#client = client
  }

  get size(): number {
    return this.#entries.size
  }

  /** Rows that the client may have to be told about. */
  get pending(): number {
    let n = 0
    for (const { monitor } of this.#entries.values()) n += monitor.pending
    return n
  }

  /** Returns what "monitor", "monitor_cond" or "monitor_cond_since" is answered with; throws OvsdbError. */
  create(version: MonitorVersion, served: ServedDatabase, params: readonly Json[]): Json {
    if (version === 1 ? params.length < 3 : params.length !== version + 1) {
      throw syntaxError(params, 'invalid parameters')
    }
    const [, id, requests, lastId] = params
    this.#checkNew(id)
    const { database, history } = served
    const monitor = new Monitor(version, requests, database)
    const known = version === 3 ? history.since(parseTransactionId(lastId)) : undefined
    if (known !== undefined) monitor.note(known)
    const updates = known === undefined ? monitor.initial(database) : (monitor.update(database) ?? {})
    this.#add(id, served, monitor)
    return version === 3 ? [known !== undefined, history.lastId, updates] : updates
  }

  /** "monitor_cond_change": the update that the new conditions make goes before the reply. Throws OvsdbError. */
  change(params: readonly Json[]): void {
    if (params.length !== 3) throw syntaxError(params, 'invalid parameters')
    const [id, newId, requests] = params
    const entry = this.#entries.get(canonicalText(id))
    if (entry === undefined) throw syntaxError(id, 'unknown monitor session')
    const { served, monitor } = entry
    const renamed = canonicalText(id) !== canonicalText(newId)
    if (renamed) this.#checkNew(newId)
    const updates = monitor.changeConditions(requests, served.database)
    if (renamed) {
      this.#remove(entry)
      this.#add(newId, served, monitor)
    }
    if (updates !== undefined) this.#notify(this.#entries.get(canonicalText(newId))!, updates)
  }

  /** "monitor_cancel". Throws RpcError. */
  cancel(params: readonly Json[]): void {
    if (params.length !== 1) throw new RpcError('invalid parameters')
    const entry = this.#entries.get(canonicalText(params[0]))
    if (entry === undefined) throw new RpcError('unknown monitor')
    this.#remove(entry)
  }

  /** Tells what has changed. */
  flush(): void {
    for (const entry of this.#entries.values()) {
      const updates = entry.monitor.update(entry.served.database)
      if (updates !== undefined) this.#notify(entry, updates)
    }
  }

  close(): void {
    for (const entry of [...this.#entries.values()]) this.#remove(entry)
  }

  #checkNew(id: Json): void {
    if (this.#entries.has(canonicalText(id))) throw syntaxError(id, 'duplicate monitor ID')
  }

  #add(id: Json, served: ServedDatabase, monitor: Monitor): void {
    const stop = served.observe({
      committed: (changes) => {
        monitor.note(changes)
        if (monitor.pending > 0) this.#client.changed()
      },
      replaced: () => {
        this.#remove(entry)
        this.#client.canceled(id)
      },
    })
    const entry = { id, served, monitor, stop }
    this.#entries.set(canonicalText(id), entry)
  }

  #remove({ id, stop }: Entry): void {
    stop()
    this.#entries.delete(canonicalText(id))
  }

  #notify({ id, served, monitor }: Entry, updates: Json): void {
    const { version } = monitor
    const params = version === 3 ? [id, served.history.lastId, updates] : [id, updates]
    this.#client.notify(NOTIFICATION[version], params)
  }
}

function parseTransactionId(json: Json): string {
  if (typeof json !== 'string') throw syntaxError(json, 'last-txn-id must be string')
  const id = parseUuid(json)
  if (id === undefined) throw syntaxError(json, 'last-txn-id must be UUID format.')
  return id === ZERO_UUID ? '' : id
}
