import { type Instant, SECOND } from '../../protocols/time.ts'
import { openStream } from '../net/stream.ts'
import type { Cancel } from '../services/scheduler.ts'
import { StreamChannel } from './channel.ts'
import { probeIntervalOf, type RemoteEnds } from './passive-remote.ts'
import type { RemoteStatus } from './remote-status.ts'
import type { RemoteTarget } from './remote-targets.ts'
import type { Session } from './session.ts'

const MIN_BACKOFF = 1 * SECOND
const MAX_BACKOFF = 8 * SECOND

/** A client that is called, and called again whenever the connection is lost, with a back-off that doubles. */
export class ActiveRemote {
  readonly settled = Promise.resolve()
  readonly boundPort = undefined
  readonly #ends: RemoteEnds
  #target: RemoteTarget
  #session: Session | undefined
  #attempt: AbortController | undefined
  #cancelRetry: Cancel | undefined
  #backoff = 0
  #connectedAt: Instant | undefined
  #disconnectedAt: Instant | undefined
  #lastError: string | undefined
  #closed = false

  constructor(ends: RemoteEnds) {
    this.#ends = ends
    this.#target = ends.target
    this.#connect()
  }

  get status(): RemoteStatus {
    const { clock, server } = this.#ends
    const seconds = (at: Instant) => Math.floor((clock.now() - at) / SECOND)
    return {
      connected: this.#session !== undefined,
      state: this.#session !== undefined ? 'ACTIVE' : this.#attempt !== undefined ? 'CONNECTING' : 'BACKOFF',
      ...(this.#connectedAt === undefined ? {} : { secondsSinceConnect: seconds(this.#connectedAt) }),
      ...(this.#disconnectedAt === undefined
        ? {}
        : { secondsSinceDisconnect: seconds(this.#disconnectedAt) }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      ...(this.#session === undefined ? {} : { locks: server.locks.names(this.#session) }),
      connections: this.#session === undefined ? 0 : 1,
    }
  }

  configure(target: RemoteTarget): void {
    this.#target = target
    if (this.#session !== undefined) this.#session.probeInterval = probeIntervalOf(target, this.#ends.address)
  }

  close(): void {
    this.#closed = true
    this.#attempt?.abort()
    this.#cancelRetry?.()
    this.#session?.close()
  }

  #connect(): void {
    const { server, address, tls, clock } = this.#ends
    const attempt = new AbortController()
    this.#attempt = attempt
    const timeOut = clock.schedule(clock.now() + Math.max(MIN_BACKOFF, this.#backoff), () => attempt.abort())
    openStream(address, address.method === 'ssl' ? tls() : undefined, attempt.signal).then(
      (duplex) => {
        timeOut()
        this.#attempt = undefined
        if (this.#closed) duplex.destroy()
        else this.#connected(new StreamChannel(duplex, this.#target.target, { budget: server.receiveBudget }))
      },
      (error: Error) => {
        timeOut()
        this.#attempt = undefined
        this.#lost(error.message)
      },
    )
  }

  #connected(channel: StreamChannel): void {
    const { server, clock, address } = this.#ends
    const started = clock.now()
    this.#connectedAt = started
    const options = {
      readOnly: this.#target.readOnly,
      probeInterval: probeIntervalOf(this.#target, address),
    }
    this.#session = server.accept(channel, options, (reason) => {
      this.#session = undefined
      this.#disconnectedAt = clock.now()
      // A connection that has lasted earns the shortest wait.
      if (clock.now() - started >= this.#backoff) this.#backoff = 0
      this.#lost(reason)
    })
  }

  #lost(reason: string | undefined): void {
    if (this.#closed) return
    const { clock, log } = this.#ends
    this.#lastError = reason
    const max = this.#target.maxBackoff ?? MAX_BACKOFF
    this.#backoff = Math.min(max, Math.max(MIN_BACKOFF, 2 * this.#backoff))
    log?.info(`${this.#target.target}: ${reason ?? 'closed'}; waiting ${this.#backoff / SECOND} seconds`)
    this.#cancelRetry = clock.schedule(clock.now() + this.#backoff, () => this.#connect())
  }
}
