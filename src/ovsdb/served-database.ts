import type { Access } from '../../protocols/ovsdb/access.ts'
import type { Database } from '../../protocols/ovsdb/database.ts'
import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import { History } from '../../protocols/ovsdb/history.ts'
import { isJsonObject, type Json } from '../../protocols/ovsdb/json-text.ts'
import { hasMember } from '../../protocols/ovsdb/json-value.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'
import { type Done, transact } from '../../protocols/ovsdb/transact.ts'
import type { Uuid } from '../../protocols/ovsdb/uuid.ts'
import type { Instant } from '../../protocols/time.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import type { DatabaseLog } from './database-log.ts'
import { ServerEvents } from './server-events.ts'

/** Who asks for a transaction. */
export interface Requester {
  readonly readOnly: boolean
  readonly internal?: boolean
  /** What it may change, if that is not everything. */
  readonly access?: Access | undefined
  holdsLock(name: string): boolean
}

export interface Observer {
  /** A transaction was committed. Called at once, before anybody gets the results. */
  committed(changes: readonly RowChange[]): void
  /** The database has another schema. What was known of its rows is void. */
  replaced(): void
}

interface Pending {
  readonly operations: readonly Json[]
  readonly requester: Requester
  /** The results, or undefined when the transaction is canceled. */
  readonly done: (results: readonly Json[] | undefined) => void
  readonly created: Instant
  cancelTimer: Cancel | undefined
}

/**
 * A database that clients may use: its present value, the transactions that wait for it to change, and those who
 * want to know what did. A transaction is written to the log before it is seen by anybody; when it is to be
 * durable its results, and only these, wait for the disk.
 */
export class ServedDatabase {
  readonly log: DatabaseLog | undefined
  readonly #clock: Clock
  readonly #newUuid: () => Uuid
  readonly #events: ServerEvents
  readonly #observers = new Set<Observer>()
  readonly #waiting = new Set<Pending>()
  #database: Database
  #history: History
  #retryScheduled = false

  constructor(
    database: Database,
    clock: Clock,
    newUuid: () => Uuid,
    log?: DatabaseLog,
    events = new ServerEvents(),
  ) {
    this.#database = database
    this.#clock = clock
    this.#newUuid = newUuid
    this.log = log
    this.#events = events
    this.#history = new History(newUuid())
  }

  get name(): string {
    return this.#database.schema.name
  }

  /** As it is now. */
  get database(): Database {
    return this.#database
  }

  get history(): History {
    return this.#history
  }

  /** Transactions that wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  observe(observer: Observer): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /**
   * Runs a transaction, now or when what it waits for has come, and gives its results to `done`. What is returned
   * takes it back and says whether that was possible: whether it was still waiting.
   */
  submit(operations: readonly Json[], requester: Requester, done: Pending['done']): () => boolean {
    const created = Math.floor(this.#clock.now())
    const pending: Pending = { operations, requester, done, created, cancelTimer: undefined }
    this.#try(pending, 0)
    return () => this.#forget(pending)
  }

  /** The same for the server's own transactions, which never wait. */
  execute(operations: readonly Json[]): readonly Json[] {
    let results: readonly Json[] = []
    const requester = { readOnly: false, internal: true, holdsLock: () => false }
    this.submit(operations, requester, (given = []) => {
      results = given
    })
    return results
  }

  /** Puts another database of the same name in its place. Throws OvsdbError when the log cannot take it. */
  replace(database: Database, comment: string): void {
    this.log?.replace(database, comment)
    this.#database = database
    this.#history = new History(this.#newUuid())
    this.retire()
  }

  /** Cancels what clients have going on: the database is no longer what they know. */
  retire(): void {
    for (const pending of [...this.#waiting]) {
      this.#forget(pending)
      pending.done(undefined)
    }
    for (const observer of [...this.#observers]) observer.replaced()
  }

  #retry(pending: Pending): void {
    this.#try(pending, Math.floor(this.#clock.now()) - pending.created)
  }

  #try(pending: Pending, elapsed: number): void {
    const { operations, requester, created } = pending
    const outcome = transact(this.#database, operations, {
      newUuid: this.#newUuid,
      elapsed,
      holdsLock: (name) => requester.holdsLock(name),
      readOnly: requester.readOnly,
      internal: requester.internal ?? false,
      ...(requester.access === undefined ? {} : { access: requester.access }),
    })
    if (outcome.status === 'done') {
      this.#forget(pending)
      this.#commit(outcome, pending.done)
    } else {
      this.#events.txn_incomplete++
      this.#waiting.add(pending)
      pending.cancelTimer?.()
      if (outcome.timeout === Number.POSITIVE_INFINITY) return
      pending.cancelTimer = this.#clock.schedule(created + outcome.timeout, () => this.#retry(pending))
    }
  }

  #forget(pending: Pending): boolean {
    pending.cancelTimer?.()
    return this.#waiting.delete(pending)
  }

  #commit({ results, database, changes, comment, durable }: Done, done: Pending['done']): void {
    const failed = (error: unknown) => {
      if (!(error instanceof OvsdbError)) throw error
      done([...results, error.toJson()])
    }
    if (changes.length === 0) {
      this.#events[results.some(isError) ? 'txn_error' : 'txn_unchanged']++
      done(results)
      return
    }
    try {
      this.log?.append(database, changes, comment)
    } catch (error) {
      failed(error)
      return
    }
    this.#events.txn_success++
    this.#database = database
    this.#history.add(this.#newUuid(), changes)
    for (const observer of [...this.#observers]) observer.committed(changes)
    this.#scheduleRetry()
    if (durable && this.log !== undefined) this.log.sync().then(() => done(results), failed)
    else done(results)
  }

  /** Those that wait are tried again after the present call, so that they do not overtake its reply. */
  #scheduleRetry(): void {
    if (this.#retryScheduled || this.#waiting.size === 0) return
    this.#retryScheduled = true
    queueMicrotask(() => {
      this.#retryScheduled = false
      for (const pending of [...this.#waiting]) if (this.#waiting.has(pending)) this.#retry(pending)
    })
  }
}

function isError(result: Json): boolean {
  return isJsonObject(result) && hasMember(result, 'error')
}
