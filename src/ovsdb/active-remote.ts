import type { Duplex } from 'node:stream'
import { DEFAULT_MAX_BACKOFF, Reconnect } from '../../protocols/reconnect.ts'
import { type Instant, SECOND } from '../../protocols/time.ts'
import { openStream } from '../net/stream.ts'
import { MachineTimer } from '../services/scheduler.ts'
import { StreamChannel } from './channel.ts'
import { probeIntervalOf, type RemoteEnds, sessionOptions } from './passive-remote.ts'
import type { RemoteStatus } from './remote-status.ts'
import type { RemoteTarget } from './remote-targets.ts'
import type { Session } from './session.ts'

/** A client that is called, and called again whenever the connection is lost, with a back-off that doubles. */
export class ActiveRemote {
  readonly settled = Promise.resolve()
  readonly boundPort = undefined
  readonly #ends: RemoteEnds
  readonly #reconnect: Reconnect
  readonly #timer: MachineTimer
  #target: RemoteTarget
  #session: Session | undefined
  #attempt: AbortController | undefined
  #connectedAt: Instant | undefined
  #disconnectedAt: Instant | undefined
  #lastError: string | undefined
  #closed = false

  constructor(ends: RemoteEnds) {
    const { clock, target } = ends
    this.#ends = ends
    this.#target = target
    this.#reconnect = new Reconnect(clock.now(), target.maxBackoff)
    const poll = (now: Instant) => {
      const action = this.#reconnect.poll(now)
      if (action === 'connect') this.#connect()
      else if (action === 'timeout') this.#attempt?.abort()
    }
    this.#timer = new MachineTimer(clock, { poll, pollAt: () => this.#reconnect.pollAt() })
    poll(clock.now())
    this.#timer.update()
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
    this.#reconnect.maxBackoff = target.maxBackoff ?? DEFAULT_MAX_BACKOFF
    if (this.#session !== undefined) this.#session.probeInterval = probeIntervalOf(target, this.#ends.address)
  }

  close(): void {
    this.#closed = true
    this.#timer.stop()
    this.#attempt?.abort()
    this.#session?.close()
  }

  #connect(): void {
    const { address, tls, clock } = this.#ends
    const attempt = new AbortController()
    this.#attempt = attempt
    openStream(address, address.method === 'ssl' ? tls() : undefined, attempt.signal, this.#target.dscp).then(
      (duplex) => {
        this.#attempt = undefined
        if (this.#closed) duplex.destroy()
        else this.#connected(duplex)
      },
      (error: Error) => {
        this.#attempt = undefined
        // One that took too long has failed already.
        if (!attempt.signal.aborted) this.#reconnect.refused(clock.now())
        this.#lost(error.message)
      },
    )
  }

  #connected(duplex: Duplex): void {
    const { server, clock, address } = this.#ends
    const channel = new StreamChannel(duplex, this.#target.target, { budget: server.receiveBudget })
    this.#connectedAt = clock.now()
    this.#reconnect.connected(clock.now())
    this.#timer.update()
    const options = sessionOptions(this.#target, address, duplex)
    this.#session = server.accept(channel, options, (reason) => {
      this.#session = undefined
      this.#disconnectedAt = clock.now()
      this.#reconnect.disconnected(clock.now())
      this.#lost(reason)
    })
  }

  #lost(reason: string | undefined): void {
    if (this.#closed) return
    const { wait } = this.#reconnect
    this.#lastError = reason
    this.#ends.log?.info(`${this.#target.target}: ${reason ?? 'closed'}; waiting ${wait / SECOND} seconds`)
    this.#timer.update()
  }
}
