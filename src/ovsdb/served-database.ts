import type { Access } from '../../protocols/ovsdb/access.ts'
import type { Database } from '../../protocols/ovsdb/database.ts'
import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import { History } from '../../protocols/ovsdb/history.ts'
import { isJsonObject, type Json } from '../../protocols/ovsdb/json-text.ts'
import { hasMember } from '../../protocols/ovsdb/json-value.ts'
import { replicate } from '../../protocols/ovsdb/replicate.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'
import type { DatabaseSchema } from '../../protocols/ovsdb/schema.ts'
import { type Done, transact } from '../../protocols/ovsdb/transact.ts'
import type { Committed } from '../../protocols/ovsdb/transaction.ts'
import type { Uuid } from '../../protocols/ovsdb/uuid.ts'
import type { Instant } from '../../protocols/time.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import type { DatabaseLog } from './database-log.ts'
import { ConnectionLost, RpcError } from './rpc-peer.ts'
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

/** The server whose database is relayed: what changes something is carried out there. */
export interface Source {
  /** The answer, once there is one. Rejects with RpcError; or with ConnectionLost, also when `signal` is aborted. */
  request(method: string, params: readonly Json[], signal: AbortSignal): Promise<Json>
}

/** Those who decide, together, what comes next in a database (a cluster). What they decide upon is told by `become`. */
export interface Consensus {
  /** Whether the database is as far as it is known to be, so that something may be proposed; else `retry` will come. */
  readonly ready: boolean
  /** The database as it will be if all that was proposed is agreed upon. */
  readonly head: Database
  /**
   * Proposes what a transaction makes of it.
   * @param settled 'committed' when the database has become that; 'again' when it is to be tried anew, after which it
   * may be 'committed' nevertheless
   */
  propose(done: Done, settled: (outcome: 'committed' | 'again') => void): void
  /** Resolves when the database is under another schema. Rejects with OvsdbError when it cannot be. */
  convert(schema: DatabaseSchema): Promise<void>
}

interface Pending {
  readonly operations: readonly Json[]
  readonly requester: Requester
  /** The results; or undefined when there will be none, and the error that the request is answered with. */
  readonly done: (results: readonly Json[] | undefined, error?: Json) => void
  readonly created: Instant
  cancelTimer: Cancel | undefined
  /** Since it was passed on. */
  recall: AbortController | undefined
  /** It is not to be tried again. */
  canceled: boolean
  /** Who asked has been told. */
  finished: boolean
}

export interface ServedDatabaseOptions {
  readonly clock: Clock
  readonly newUuid: () => Uuid
  readonly log?: DatabaseLog | undefined
  /** Undefined: the database is this server's own. */
  readonly source?: Source | undefined
  readonly consensus?: Consensus | undefined
  readonly events?: ServerEvents
}

/**
 * A database that clients may use: its present value, the transactions that wait for it to change, and those who
 * want to know what did. A transaction is written to the log before it is seen by anybody; when it is to be
 * durable its results, and only these, wait for the disk. Of a database that is relayed only reading is done here; a
 * transaction that would write is tried and then passed on, and what it has changed comes back by itself. Of one that
 * is a cluster's a transaction is tried and proposed to the others, and again when something else came first.
 */
export class ServedDatabase {
  readonly log: DatabaseLog | undefined
  readonly source: Source | undefined
  readonly consensus: Consensus | undefined
  readonly #clock: Clock
  readonly #newUuid: () => Uuid
  readonly #events: ServerEvents
  readonly #observers = new Set<Observer>()
  readonly #waiting = new Set<Pending>()
  #database: Database
  #history: History
  #retryScheduled = false
  /** A transaction waits for all that was proposed to be agreed upon. */
  #holdsBack = false

  /** @param id of the last transaction, where the database comes from a server that has such ids */
  constructor(database: Database, options: ServedDatabaseOptions, id?: Uuid) {
    const { clock, newUuid, log, source, consensus, events = new ServerEvents() } = options
    this.#database = database
    this.#clock = clock
    this.#newUuid = newUuid
    this.log = log
    this.source = source
    this.consensus = consensus
    this.#events = events
    this.#history = new History(id ?? newUuid())
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
   * takes it back and says whether that was possible: whether it was still waiting. What was passed on may have
   * been carried out nevertheless.
   */
  submit(operations: readonly Json[], requester: Requester, done: Pending['done']): () => boolean {
    const created = Math.floor(this.#clock.now())
    const pending: Pending = {
      operations,
      requester,
      done,
      created,
      cancelTimer: undefined,
      recall: undefined,
      canceled: false,
      finished: false,
    }
    this.#try(pending, 0)
    return () => {
      pending.canceled = true
      return this.#forget(pending) || recall(pending)
    }
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

  /**
   * Takes over what another server has done. @param id of its last transaction, where it has such ids
   * @throws OvsdbError when it does not fit, or the log cannot take it; then nothing has changed
   */
  take(changes: readonly RowChange[], id?: Uuid): void {
    if (changes.length === 0 && id === undefined) return
    const committed = replicate(this.#database, changes, this.#newUuid())
    if (committed.changes.length > 0) this.log?.append(committed.database, committed.changes, '')
    this.become(committed, id ?? this.#newUuid())
  }

  /** Puts another database of the same name in its place. Throws OvsdbError when the log cannot take it. */
  replace(database: Database, comment: string, id?: Uuid): void {
    this.log?.replace(database, comment)
    this.#database = database
    this.#history = new History(id ?? this.#newUuid())
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

  /** What waits is tried again, as something other than the database has changed. */
  retry(): void {
    this.#scheduleRetry()
  }

  #retry(pending: Pending): void {
    this.#try(pending, Math.floor(this.#clock.now()) - pending.created)
  }

  #try(pending: Pending, elapsed: number): void {
    const { operations, requester, created } = pending
    const base = this.consensus?.head ?? this.#database
    this.#holdsBack &&= base !== this.#database
    if (this.consensus?.ready === false || this.#holdsBack) {
      this.#waiting.add(pending)
      return
    }
    const outcome = transact(base, operations, {
      newUuid: this.#newUuid,
      elapsed,
      holdsLock: (name) => requester.holdsLock(name),
      readOnly: requester.readOnly,
      internal: requester.internal ?? false,
      forwards: this.source !== undefined,
      ...(requester.access === undefined ? {} : { access: requester.access }),
    })
    if (outcome.status === 'done' && outcome.changes.length === 0 && base !== this.#database) {
      // What it has read is not agreed upon yet. Until then others wait too, or it might for ever.
      this.#holdsBack = true
      this.#waiting.add(pending)
    } else if (outcome.status === 'done') {
      this.#forget(pending)
      this.#commit(outcome, pending)
    } else if (outcome.status === 'forwarded') {
      this.#forget(pending)
      void this.#forward(pending)
    } else {
      this.#events.txn_incomplete++
      this.#waiting.add(pending)
      pending.cancelTimer?.()
      if (outcome.timeout === Number.POSITIVE_INFINITY) return
      pending.cancelTimer = this.#clock.schedule(created + outcome.timeout, () => this.#retry(pending))
    }
  }

  async #forward(pending: Pending): Promise<void> {
    const { operations, done } = pending
    const recall = new AbortController()
    pending.recall = recall
    let results: Json | undefined
    let failure: Json | undefined
    try {
      results = await this.source!.request('transact', [this.name, ...operations], recall.signal)
    } catch (error) {
      if (error instanceof RpcError) failure = error.error
      else if (!(error instanceof ConnectionLost)) throw error
    }
    if (recall.signal.aborted) return
    pending.recall = undefined
    done(results as readonly Json[] | undefined, failure)
  }

  #forget(pending: Pending): boolean {
    pending.cancelTimer?.()
    return this.#waiting.delete(pending)
  }

  #commit(outcome: Done, pending: Pending): void {
    const { results, database, changes, comment, durable } = outcome
    const { done } = pending
    const failed = (error: unknown) => {
      if (!(error instanceof OvsdbError)) throw error
      done([...results, error.toJson()])
    }
    if (changes.length === 0) {
      this.#events[results.some(isError) ? 'txn_error' : 'txn_unchanged']++
      done(results)
      return
    }
    if (this.consensus !== undefined) {
      this.#propose(this.consensus, outcome, pending)
      return
    }
    try {
      this.log?.append(database, changes, comment)
    } catch (error) {
      failed(error)
      return
    }
    this.#events.txn_success++
    this.become({ database, changes }, this.#newUuid())
    if (durable && this.log !== undefined) this.log.sync().then(() => done(results), failed)
    else done(results)
  }

  #propose(consensus: Consensus, outcome: Done, pending: Pending): void {
    const finish = (results: readonly Json[] | undefined) => {
      if (pending.finished) return
      pending.finished = true
      pending.done(results)
    }
    consensus.propose(outcome, (settled) => {
      if (settled === 'committed') {
        this.#events.txn_success++
        // It may wait already to be tried again, or have been proposed again, which will be in vain.
        this.#forget(pending)
        finish(outcome.results)
      } else if (pending.canceled) finish(undefined)
      else if (!pending.finished) this.#waiting.add(pending)
    })
  }

  /** Takes the next state, which is safe already. @param id of the transaction */
  become({ database, changes }: Committed, id: Uuid): void {
    this.#history.add(id, changes)
    if (changes.length === 0) return
    this.#database = database
    for (const observer of [...this.#observers]) observer.committed(changes)
    this.#scheduleRetry()
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

function recall({ recall }: Pending): boolean {
  recall?.abort()
  return recall !== undefined
}

function isError(result: Json): boolean {
  return isJsonObject(result) && hasMember(result, 'error')
}
