import type { Duplex } from 'node:stream'
import { DEFAULT_MAX_BACKOFF, Reconnect } from '../../protocols/reconnect.ts'
import { type Duration, type Instant, SECOND } from '../../protocols/time.ts'
import type { Address } from '../net/address.ts'
import { openStream, type TlsFiles } from '../net/stream.ts'
import { type Clock, MachineTimer } from '../services/scheduler.ts'

export interface CallerOptions {
  readonly clock: Clock
  readonly tls: () => TlsFiles | undefined
  readonly log?: { info(text: string): void } | undefined
  /** As it is written in a configuration. */
  readonly name: string
  readonly address: Address
  readonly dscp?: number | undefined
  readonly maxBackoff?: Duration | undefined
  readonly connected: (duplex: Duplex) => void
  /** A call has failed, or the connection is gone, for this reason. */
  readonly failed?: (reason: string | undefined) => void
}

/** Calls another program, and again whenever that fails or `lost` says that the connection is gone; the wait doubles. */
export class Caller {
  readonly #options: CallerOptions
  readonly #reconnect: Reconnect
  readonly #timer: MachineTimer
  #attempt: AbortController | undefined
  #closed = false

  /** Calls at once. */
  constructor(options: CallerOptions) {
    const { clock, maxBackoff } = options
    this.#options = options
    this.#reconnect = new Reconnect(clock.now(), maxBackoff)
    const poll = (now: Instant) => {
      const action = this.#reconnect.poll(now)
      if (action === 'connect') this.#connect()
      else if (action === 'timeout') this.#attempt?.abort()
    }
    this.#timer = new MachineTimer(clock, { poll, pollAt: () => this.#reconnect.pollAt() })
    poll(clock.now())
    this.#timer.update()
  }

  /** Whether a call is under way. */
  get calling(): boolean {
    return this.#attempt !== undefined
  }

  /** Holds for the waits to come. */
  set maxBackoff(span: Duration | undefined) {
    this.#reconnect.maxBackoff = span ?? DEFAULT_MAX_BACKOFF
  }

  lost(reason: string | undefined): void {
    this.#reconnect.disconnected(this.#options.clock.now())
    this.#again(reason)
  }

  close(): void {
    this.#closed = true
    this.#timer.stop()
    this.#attempt?.abort()
  }

  #connect(): void {
    const { address, tls, clock, dscp, connected } = this.#options
    const attempt = new AbortController()
    this.#attempt = attempt
    openStream(address, address.method === 'ssl' ? tls() : undefined, attempt.signal, dscp).then(
      (duplex) => {
        this.#attempt = undefined
        if (this.#closed) {
          duplex.destroy()
          return
        }
        this.#reconnect.connected(clock.now())
        this.#timer.update()
        connected(duplex)
      },
      (error: Error) => {
        this.#attempt = undefined
        // One that took too long has failed already.
        if (!attempt.signal.aborted) this.#reconnect.refused(clock.now())
        this.#again(error.message)
      },
    )
  }

  #again(reason: string | undefined): void {
    if (this.#closed) return
    const { log, name, failed } = this.#options
    failed?.(reason)
    log?.info(`${name}: ${reason ?? 'closed'}; waiting ${this.#reconnect.wait / SECOND} seconds`)
    this.#timer.update()
  }
}
