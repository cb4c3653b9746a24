import { type Database, emptyDatabase } from '../../protocols/ovsdb/database.ts'
import type { Json, JsonObject } from '../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../protocols/ovsdb/schema.ts'
import { schemaText } from '../../protocols/ovsdb/schema-text.ts'
import { SERVER } from '../../protocols/ovsdb/schemas/server.ts'
import { randomUuid, type Uuid } from '../../protocols/ovsdb/uuid.ts'
import type { Random } from '../../protocols/random.ts'
import type { Clock } from '../services/scheduler.ts'
import type { Channel } from './channel.ts'
import type { DatabaseLog } from './database-log.ts'
import { Locks } from './locks.ts'
import { ReceiveBudget } from './receive-budget.ts'
import { type Remote, remoteWithin } from './remote.ts'
import { type Consensus, ServedDatabase, type Source } from './served-database.ts'
import { ServerEvents } from './server-events.ts'
import { type ServiceStatus, STANDALONE } from './service-status.ts'
import { Session, type SessionHost, type SessionOptions } from './session.ts'

const UNFINISHED_LIMIT = 512 * 2 ** 20
const PENDING_LIMIT = 1_000_000

export interface AddOptions {
  readonly log?: DatabaseLog | undefined
  /** Of a database that is another server's. */
  readonly source?: Source
  /** Of one that is a cluster's. */
  readonly consensus?: Consensus
  /** Id of its last transaction there. */
  readonly lastId?: Uuid | undefined
}

export interface ServerOptions {
  readonly clock: Clock
  readonly random: Random
  /** Bytes that all clients together may take up with messages that are not whole yet; default 512 MiB. */
  readonly unfinishedLimit?: number
  /** Rows that a client which does not read may fall behind until it is disconnected; default a million. */
  readonly pendingLimit?: number
  /** Gives the channel to be used for a client's. */
  readonly heard?: (channel: Channel, options: SessionOptions) => Channel
  readonly log?: { info(text: string): void; warn(text: string): void }
}

/** Serves databases to clients, wherever their channels come from, and tells about itself in `_Server`. */
export class OvsdbServer implements SessionHost {
  readonly clock: Clock
  readonly locks = new Locks()
  readonly events = new ServerEvents()
  readonly pendingLimit: number
  /** For the channels of its clients. */
  readonly receiveBudget: ReceiveBudget
  /** Changes with every start. */
  readonly id: Uuid
  /** Whether monitors may have conditions; clients do without them where they may not. */
  monitorsHaveConditions = true
  /** Whether clients that connect from now on may only read. */
  readOnly = false
  readonly #options: ServerOptions
  readonly #databases = new Map<string, ServedDatabase>()
  /** How those are served that are not simply this server's own, and those that are expected. */
  readonly #status = new Map<string, ServiceStatus>()
  readonly expected = new Set<string>()
  readonly #sessions = new Map<Session, ((reason: string | undefined) => void) | undefined>()
  readonly #self: ServedDatabase

  constructor(options: ServerOptions) {
    this.#options = options
    this.clock = options.clock
    this.pendingLimit = options.pendingLimit ?? PENDING_LIMIT
    this.receiveBudget = new ReceiveBudget(options.unfinishedLimit ?? UNFINISHED_LIMIT)
    this.id = this.newUuid()
    this.#self = this.#serve(emptyDatabase(parseSchema(SERVER as unknown as Json)), {})
    this.#describe(this.#self)
  }

  /** By their names, `_Server` among them. */
  get databases(): ReadonlyMap<string, ServedDatabase> {
    return this.#databases
  }

  get sessions(): Iterable<Session> {
    return this.#sessions.keys()
  }

  /** Where a client in this process finds the server. */
  get remote(): Remote {
    return remoteWithin((channel) => this.accept(channel, { readOnly: false, probeInterval: 0 }))
  }

  readonly newUuid = (): Uuid => randomUuid(this.#options.random)

  /** Serves one more database. Its name must be a new one. */
  add(database: Database, options: AddOptions = {}): ServedDatabase {
    const served = this.#serve(database, options)
    const { name } = served
    const was = this.expected.delete(name)
    this.#describe(served)
    this.#disconnectUnaware(was ? `database ${name} connected to storage` : `adding ${name} database`)
    return served
  }

  /** Tells of a database that will be added as soon as it is known. Its name must be a new one. */
  expect(name: string, status: ServiceStatus): void {
    this.expected.add(name)
    this.setStatus(name, status)
    this.#disconnectUnaware(`adding ${name} database`)
  }

  setStatus(name: string, status: ServiceStatus): void {
    this.#status.set(name, status)
    this.#tell(name, { ...status })
  }

  remove(name: string): void {
    const served = this.#databases.get(name)
    if ((served === undefined && !this.expected.has(name)) || served === this.#self) return
    this.#databases.delete(name)
    this.expected.delete(name)
    this.#status.delete(name)
    served?.retire()
    this.#self.execute([{ op: 'delete', table: 'Database', where: [['name', '==', name]] }])
    this.#disconnectUnaware(`removing ${name} database`)
  }

  /** @param ended called once, when the session is over */
  accept(channel: Channel, options: SessionOptions, ended?: (reason: string | undefined) => void): Session {
    const heard = this.#options.heard?.(channel, options) ?? channel
    const readOnly = options.readOnly || this.readOnly
    const session = new Session(this, heard, { ...options, readOnly })
    this.events.session_open++
    this.#sessions.set(session, ended)
    return session
  }

  ended(session: Session, reason: string | undefined): void {
    if (reason !== undefined && reason !== 'connection closed by peer') {
      this.#options.log?.warn(`${session.peer}: ${reason}`)
    }
    const callback = this.#sessions.get(session)
    this.#sessions.delete(session)
    callback?.(reason)
  }

  close(): void {
    for (const session of [...this.#sessions.keys()]) session.close()
  }

  #serve(database: Database, { log, source, consensus, lastId }: AddOptions): ServedDatabase {
    const { clock, newUuid, events } = this
    const options = { clock, newUuid, log, source, consensus, events }
    const served = new ServedDatabase(database, options, lastId)
    this.#databases.set(served.name, served)
    served.observe({
      committed: () => {},
      replaced: () => {
        if (this.#databases.get(served.name) !== served) return
        this.#describe(served)
        this.#disconnectUnaware(`committed ${served.name} database schema conversion`)
      },
    })
    return served
  }

  /** What `_Server` says about a database. */
  #describe(served: ServedDatabase): void {
    const { name } = served
    const status = this.#status.get(name) ?? STANDALONE
    this.#tell(name, { ...status, schema: schemaText(served.database.schema) })
  }

  #tell(name: string, columns: JsonObject): void {
    const row = { name, ...columns }
    const table = 'Database'
    const known = this.#self.database.tables.get(table)!.rows.values()
    const told = known.some(({ columns }) => columns.name.keys[0] === name)
    const where = [['name', '==', name]]
    this.#self.execute([told ? { op: 'update', table, where, row } : { op: 'insert', table, row }])
  }

  /** Clients that do not look at `_Server` learn of such changes when they connect again. */
  #disconnectUnaware(reason: string): void {
    const unaware = [...this.#sessions.keys()].filter((session) => !session.databaseChangeAware)
    // Behind the reply to the one that asked for the change.
    setImmediate(() => {
      for (const session of unaware) {
        this.#options.log?.info(`${session.peer}: disconnecting (${reason})`)
        session.close()
      }
    })
  }
}
