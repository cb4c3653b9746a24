/**
 * A client's lasting connection to a database server, or to whichever of several: lost, it is made again, at once the
 * first time round the servers and then after a back-off that doubles up to a bound, as by reconnect(7) of Open
 * vSwitch. What keeps state about the server, such as a replica, attaches itself and prepares each new connection
 * before anybody else may use it; it may also find that the server is of no use, and have the next one tried.
 */

import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { type Duration, type Instant, SECOND } from '../../protocols/time.ts'
import { errorText } from '../process/error-text.ts'
import type { Clock } from '../services/scheduler.ts'
import type { Channel } from './channel.ts'
import type { Remote } from './remote.ts'
import { ConnectionLost, RpcPeer } from './rpc-peer.ts'

const MIN_BACKOFF = SECOND
const MAX_BACKOFF = 8 * SECOND
const PROBE_INTERVAL = 5 * SECOND

export interface ClientOptions {
  /** Tried in this order. */
  readonly remotes: readonly Remote[]
  readonly clock: Clock
  /** False: the first failure, of all remotes, is the end. Default true. */
  readonly retry?: boolean
  readonly maxBackoff?: Duration
  /** Silence after which a server that `needsProbes` is asked whether it lives; default 5 s, 0: never. */
  readonly probeInterval?: Duration
  readonly log?: { info(text: string): void; warn(text: string): void }
  /** Called once, when a client that does not retry has failed. */
  readonly failed?: (reason: string) => void
}

/** What prepares each connection. */
export interface Attachment {
  /** May use the connection before others. Whatever it throws ends the connection; ServerUnsuitable quietly. */
  connected(peer: RpcPeer): Promise<void>
  /** @returns whether it was for it */
  notification(method: string, params: readonly Json[]): boolean
  disconnected(): void
}

/** The server works, but is not one to stay with: the next is tried. */
export class ServerUnsuitable extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'ServerUnsuitable'
  }
}

interface Waiter {
  readonly resolve: (peer: RpcPeer) => void
  readonly reject: (error: Error) => void
}

export class OvsdbClient {
  readonly #options: ClientOptions
  readonly #attachments: Attachment[] = []
  #waiters: Waiter[] = []
  /** The connection that is prepared and may be used. */
  #ready: RpcPeer | undefined
  /** What is to be ended when the client is closed or sent elsewhere. */
  #current: { abort(reason?: string): void } | undefined
  #next = 0
  /** Attempts without back-off: once round the remotes. */
  #freeTries: number
  #backoff: Duration = 0
  #ended: string | undefined

  /** Begins to connect when `start` is called, so that attachments come first. */
  constructor(options: ClientOptions) {
    this.#options = options
    this.#freeTries = options.remotes.length
  }

  attach(attachment: Attachment): void {
    this.#attachments.push(attachment)
  }

  start(): void {
    this.#attempt()
  }

  get connected(): boolean {
    return this.#ready !== undefined
  }

  /** The server's reply, once there is a connection. Rejects with RpcError; or with ConnectionLost, its fate unknown, or known where it was not sent because `signal` was aborted. */
  async request(method: string, params: readonly Json[], signal?: AbortSignal): Promise<Json> {
    const peer = await this.#connection()
    if (signal?.aborted) throw new ConnectionLost('given up')
    return await peer.request(method, params)
  }

  /** Results of the operations, errors among them (RFC 7047, 4.1.3). */
  async transact(database: string, operations: readonly Json[]): Promise<readonly Json[]> {
    return (await this.request('transact', [database, ...operations])) as readonly Json[]
  }

  /** Drops the connection, to make it anew, with the next of the remotes. */
  reconnect(reason: string): void {
    this.#current?.abort(reason)
  }

  /** Idempotent. What waits for a connection or a reply is rejected. */
  close(): void {
    this.#end('closed')
  }

  #connection(): Promise<RpcPeer> {
    if (this.#ready !== undefined) return Promise.resolve(this.#ready)
    if (this.#ended !== undefined) return Promise.reject(new ConnectionLost(this.#ended))
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }))
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#current?.abort()
    for (const { reject } of this.#waiters) reject(new ConnectionLost(reason))
    this.#waiters = []
  }

  #attempt(): void {
    const { remotes, clock, log } = this.#options
    const remote = remotes[this.#next++ % remotes.length]
    const aborter = new AbortController()
    // A server that we wait for may take its time.
    const giveUp = remote.passive
      ? () => {}
      : clock.schedule(clock.now() + Math.max(MIN_BACKOFF, this.#backoff), () => aborter.abort())
    this.#current = { abort: () => aborter.abort() }
    log?.info(`${remote.name}: ${remote.passive ? 'listening' : 'connecting'}...`)
    remote.open(aborter.signal).then(
      (channel) => {
        giveUp()
        if (this.#ended !== undefined) channel.abort()
        else this.#prepare(remote, channel)
      },
      (error: Error) => {
        giveUp()
        const what = remote.passive ? 'listen' : 'connection'
        if (aborter.signal.aborted) log?.info(`${remote.name}: ${what} attempt timed out`)
        else log?.info(`${remote.name}: ${what} attempt failed (${errorText(error)})`)
        this.#failed(aborter.signal.aborted ? 'Connection timed out' : errorText(error))
      },
    )
  }

  #prepare(remote: Remote, channel: Channel): void {
    const { clock, log } = this.#options
    const started = clock.now()
    let reason: string | undefined
    const interval = remote.needsProbes ? (this.#options.probeInterval ?? PROBE_INTERVAL) : 0
    const peer = new RpcPeer(channel, clock, interval, {
      notification: (method, params) => {
        for (const attachment of this.#attachments) if (attachment.notification(method, params)) return
      },
      closed: (why) => this.#lost(remote, started, reason ?? why ?? 'closed'),
    })
    this.#current = {
      abort: (why) => {
        reason ??= why
        channel.abort()
      },
    }
    log?.info(`${remote.name}: connected`)
    Promise.all(this.#attachments.map((attachment) => attachment.connected(peer))).then(
      () => this.#becameReady(peer),
      (error: Error) => {
        if (!(error instanceof ConnectionLost)) log?.info(`${remote.name}: ${error.message}`)
        reason ??= error.message
        peer.close()
      },
    )
  }

  #becameReady(peer: RpcPeer): void {
    if (peer.closed) return
    this.#ready = peer
    this.#freeTries = this.#options.remotes.length
    for (const { resolve } of this.#waiters) resolve(peer)
    this.#waiters = []
  }

  #lost(remote: Remote, started: Instant, reason: string): void {
    const { clock, log } = this.#options
    const wasReady = this.#ready !== undefined
    this.#ready = undefined
    for (const attachment of this.#attachments) attachment.disconnected()
    if (this.#ended !== undefined) return
    log?.info(
      `${remote.name}: ${reason === 'connection closed by peer' ? reason : `connection dropped (${reason})`}`,
    )
    // A connection that has lasted earns the shortest wait.
    if (wasReady && clock.now() - started >= this.#backoff) this.#backoff = 0
    this.#failed(reason)
  }

  #failed(reason: string): void {
    const { clock, log, retry = true, maxBackoff = MAX_BACKOFF } = this.#options
    if (this.#ended !== undefined) return
    if (--this.#freeTries > 0) {
      this.#attempt()
      return
    }
    if (!retry) {
      this.#end(reason)
      this.#options.failed?.(reason)
      return
    }
    this.#backoff = Math.min(maxBackoff, Math.max(MIN_BACKOFF, 2 * this.#backoff))
    log?.info(`waiting ${this.#backoff / SECOND} seconds before reconnect`)
    const cancel = clock.schedule(clock.now() + this.#backoff, () => this.#attempt())
    this.#current = {
      abort: () => {
        cancel()
        if (this.#ended === undefined) this.#attempt()
      },
    }
  }
}
