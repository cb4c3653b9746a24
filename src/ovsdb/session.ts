import type { Access } from '../../protocols/ovsdb/access.ts'
import { convertDatabase } from '../../protocols/ovsdb/convert.ts'
import { OvsdbError, syntaxError } from '../../protocols/ovsdb/error.ts'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { canonicalText } from '../../protocols/ovsdb/json-value.ts'
import { isId } from '../../protocols/ovsdb/members.ts'
import { type DatabaseSchema, parseSchema, schemaToJson } from '../../protocols/ovsdb/schema.ts'
import type { Uuid } from '../../protocols/ovsdb/uuid.ts'
import type { Duration } from '../../protocols/time.ts'
import type { Clock } from '../services/scheduler.ts'
import type { Channel } from './channel.ts'
import type { LockHolder, Locks } from './locks.ts'
import { ConnectionLost, RpcError, RpcPeer } from './rpc-peer.ts'
import type { Consensus, Requester, ServedDatabase, Source } from './served-database.ts'
import type { ServerEvents } from './server-events.ts'
import { SessionMonitors } from './session-monitors.ts'

/** What all sessions share. */
export interface SessionHost {
  readonly id: Uuid
  readonly clock: Clock
  readonly locks: Locks
  readonly events: ServerEvents
  readonly monitorsHaveConditions: boolean
  readonly databases: ReadonlyMap<string, ServedDatabase>
  /** Names of databases that are not known yet. */
  readonly expected: ReadonlySet<string>
  /** Rows that a client which does not read may fall behind. */
  readonly pendingLimit: number
  newUuid(): Uuid
  /** The session is over. */
  ended(session: Session, reason: string | undefined): void
}

export interface SessionOptions {
  readonly readOnly: boolean
  readonly access?: Access | undefined
  /** Ms of silence after which the client is asked whether it lives; 0: never. */
  readonly probeInterval: Duration
}

/** Bytes that a client may leave unread before it is heard, and told of changes, again. */
const HIGH_WATER = 2 ** 18

type Reply = Json | typeof LATER
const LATER = Symbol('the reply comes later')

/** One client of the server, and every method that it may call (RFC 7047 §4.1, ovsdb-server(7)). */
export class Session implements LockHolder, Requester {
  readonly #host: SessionHost
  readonly #peer: RpcPeer
  readonly #monitors: SessionMonitors
  /** Transactions without a reply, by the id of their request. */
  readonly #transactions = new Map<string, { readonly id: Json; readonly cancel: () => boolean }>()
  /** Whether the client learns of databases that come and go by itself, from _Server. */
  #databaseChangeAware = false
  readonly readOnly: boolean
  readonly access: Access | undefined
  #flushScheduled = false
  #paused = false
  readonly #ended = new AbortController()

  constructor(host: SessionHost, channel: Channel, options: SessionOptions) {
    this.#host = host
    this.readOnly = options.readOnly
    this.access = options.access
    this.#monitors = new SessionMonitors({
      notify: (method, params) => {
        host.events.monitor_update++
        this.#peer.notify(method, params)
      },
      changed: () => this.#changed(),
      canceled: (id) => {
        if (this.#databaseChangeAware) this.#peer.notify('monitor_canceled', [id])
      },
    })
    this.#peer = new RpcPeer(channel, host.clock, options.probeInterval, {
      request: ({ method, params, id }) => this.#request(method, params, id),
      notification: (method, params) => {
        if (method === 'cancel' && params.length === 1) this.#cancel(canonicalText(params[0]))
      },
      echoed: () => this.#hold(),
      drained: () => this.#drained(),
      closed: (reason) => this.#end(reason),
    })
  }

  get peer(): string {
    return this.#peer.peer
  }

  get backlog(): number {
    return this.#peer.backlog
  }

  /** How many monitors it has. */
  get monitorCount(): number {
    return this.#monitors.size
  }

  get databaseChangeAware(): boolean {
    return this.#databaseChangeAware
  }

  set probeInterval(interval: Duration) {
    this.#peer.probeInterval = interval
  }

  holdsLock(name: string): boolean {
    return this.#host.locks.owns(this, name)
  }

  locked(lock: string): void {
    this.#peer.notify('locked', [lock])
  }

  stolen(lock: string): void {
    this.#peer.notify('stolen', [lock])
  }

  close(): void {
    this.#peer.close()
  }

  #request(method: string, params: readonly Json[], id: Json): void {
    let reply: Reply
    this.#host.events.jsonrpc_request++
    try {
      const run = METHODS[method]
      const known =
        Object.hasOwn(METHODS, method) && (this.#host.monitorsHaveConditions || !CONDITIONAL.has(method))
      if (run === undefined || !known) throw new RpcError('unknown method')
      reply = run(this, { method, params, id })
    } catch (error) {
      if (error instanceof OvsdbError) this.#replyError(id, error.toJson())
      else if (error instanceof RpcError) this.#replyError(id, error.error)
      else throw error
      return
    }
    if (reply !== LATER) this.#reply(id, reply)
  }

  #reply(id: Json, result: Json): void {
    this.#monitors.flush()
    this.#peer.reply(id, result)
    this.#hold()
  }

  #replyError(id: Json, error: Json): void {
    this.#monitors.flush()
    this.#peer.replyError(id, error)
    this.#hold()
  }

  /** A client that does not read is not listened to either. */
  #hold(): void {
    if (this.#paused || this.#peer.backlog <= HIGH_WATER) return
    this.#paused = true
    this.#peer.pause()
  }

  #drained(): void {
    this.#flush()
    if (!this.#paused || this.#peer.backlog > HIGH_WATER) return
    this.#paused = false
    this.#peer.resume()
  }

  #changed(): void {
    if (this.#flushScheduled) return
    if (this.#peer.backlog > HIGH_WATER) {
      if (this.#monitors.pending > this.#host.pendingLimit) this.#peer.abort()
      return
    }
    this.#flushScheduled = true
    // When all that has come from others as well was carried out, and answered.
    setImmediate(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#peer.backlog <= HIGH_WATER) this.#monitors.flush()
  }

  #end(reason: string | undefined): void {
    this.#monitors.close()
    this.#ended.abort()
    for (const { cancel } of this.#transactions.values()) cancel()
    this.#transactions.clear()
    this.#host.locks.unlockAll(this)
    this.#host.ended(this, reason)
  }

  listDatabases(): Json {
    return [...this.#host.databases.keys(), ...this.#host.expected]
  }

  serverId(): Json {
    return this.#host.id
  }

  /** The database that a request names first. */
  database({ method, params }: Request): ServedDatabase {
    const [name] = params
    if (typeof name !== 'string') {
      throw syntaxError(params, `${method} request params must begin with <db-name>`)
    }
    const served = this.#host.databases.get(name)
    if (served !== undefined) return served
    if (this.#host.expected.has(name)) {
      throw new OvsdbError(
        'database not available',
        `${method} request specifies database ${name} which is not yet available because it has not completed joining its cluster`,
      )
    }
    throw new OvsdbError('unknown database', `${method} request specifies unknown database ${name}`, params)
  }

  get monitors(): SessionMonitors {
    return this.#monitors
  }

  transact(request: Request): typeof LATER {
    const served = this.database(request)
    const { id, params } = request
    const key = canonicalText(id)
    if (this.#transactions.has(key)) throw syntaxError(params, 'transact: duplicate request ID')
    let finished = false
    const cancel = served.submit(params.slice(1), this, (results, error = 'canceled') => {
      finished = true
      this.#transactions.delete(key)
      if (results === undefined) this.#replyError(id, error)
      else this.#reply(id, results)
    })
    if (!finished) this.#transactions.set(key, { id, cancel })
    return LATER
  }

  /** What is committed already gets its results nevertheless. */
  #cancel(key: string): void {
    const transaction = this.#transactions.get(key)
    if (transaction === undefined || !transaction.cancel()) return
    this.#transactions.delete(key)
    this.#replyError(transaction.id, 'canceled')
  }

  convert(request: Request): Reply {
    const served = this.database(request)
    const { params } = request
    if (params.length !== 2) throw syntaxError(params, 'array expected')
    const schema = parseSchema(params[1])
    if (schema.name !== served.name) {
      throw new OvsdbError(
        'invalid parameters',
        `new schema name (${schema.name}) does not match database name (${served.name})`,
      )
    }
    if (served.source !== undefined) {
      void this.#forward(served.source, request)
      return LATER
    }
    if (served.consensus !== undefined) {
      void this.#convert(served.consensus, schema, request)
      return LATER
    }
    const database = convertDatabase(served.database, schema, this.#host.newUuid())
    served.replace(database, 'converted by ovsdb-server')
    return {}
  }

  async #convert(consensus: Consensus, schema: DatabaseSchema, { id }: Request): Promise<void> {
    try {
      await consensus.convert(schema)
      this.#reply(id, {})
    } catch (error) {
      if (!(error instanceof OvsdbError)) throw error
      this.#replyError(id, error.toJson())
    }
  }

  async #forward(source: Source, { method, params, id }: Request): Promise<void> {
    try {
      this.#reply(id, await source.request(method, params, this.#ended.signal))
    } catch (error) {
      if (error instanceof RpcError) this.#replyError(id, error.error)
      else if (error instanceof ConnectionLost) this.#replyError(id, 'canceled')
      else throw error
    }
  }

  lock({ method, params }: Request): Json {
    const lock = this.#lockName(method, params)
    if (this.#host.locks.asked(this, lock)) {
      throw syntaxError(params, `must issue "unlock" before new "${method}"`)
    }
    return { locked: this.#host.locks.lock(this, lock, method === 'steal') }
  }

  unlock({ method, params }: Request): Json {
    const lock = this.#lockName(method, params)
    if (!this.#host.locks.asked(this, lock)) {
      throw syntaxError(params, 'unlock: "unlock" without "lock" or "steal"')
    }
    this.#host.locks.unlock(this, lock)
    return {}
  }

  #lockName(method: string, params: readonly Json[]): string {
    if (this.readOnly) throw new RpcError('lock and unlock methods not allowed, DB server is read only.')
    const [lock] = params
    if (params.length === 1 && typeof lock === 'string' && isId(lock)) return lock
    throw syntaxError(params, `${method} request params must be <id>`)
  }

  setDatabaseChangeAware({ params }: Request): Json {
    const [aware] = params
    if (params.length !== 1 || typeof aware !== 'boolean') {
      throw syntaxError(params, 'set_db_change_aware: true or false parameter expected')
    }
    this.#databaseChangeAware = aware
    return {}
  }
}

interface Request {
  readonly method: string
  readonly params: readonly Json[]
  readonly id: Json
}

const CONDITIONAL: ReadonlySet<string> = new Set(['monitor_cond', 'monitor_cond_since'])

/** All but "echo", which the peer answers. */
const METHODS: Readonly<Record<string, (session: Session, request: Request) => Reply>> = {
  list_dbs: (session) => session.listDatabases(),
  get_schema: (session, request) => schemaToJson(session.database(request).database.schema),
  get_server_id: (session) => session.serverId(),
  set_db_change_aware: (session, request) => session.setDatabaseChangeAware(request),
  transact: (session, request) => session.transact(request),
  convert: (session, request) => session.convert(request),
  monitor: (session, request) => session.monitors.create(1, session.database(request), request.params),
  monitor_cond: (session, request) => session.monitors.create(2, session.database(request), request.params),
  monitor_cond_since: (session, request) =>
    session.monitors.create(3, session.database(request), request.params),
  monitor_cond_change: (session, { params }) => {
    session.monitors.change(params)
    return {}
  },
  monitor_cancel: (session, { params }) => {
    session.monitors.cancel(params)
    return {}
  },
  lock: (session, request) => session.lock(request),
  steal: (session, request) => session.lock(request),
  unlock: (session, request) => session.unlock(request),
}
