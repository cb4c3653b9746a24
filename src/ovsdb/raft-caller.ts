import { Reconnect } from '../../protocols/reconnect.ts'
import { type Instant, SECOND } from '../../protocols/time.ts'
import type { Address } from '../net/address.ts'
import { openStream, type TlsFiles } from '../net/stream.ts'
import { type Clock, MachineTimer } from '../services/scheduler.ts'
import { type Channel, StreamChannel } from './channel.ts'

export interface RaftCallerOptions {
  readonly clock: Clock
  readonly tls: () => TlsFiles | undefined
  readonly log: { info(text: string): void }
  /** As it is written in the configuration of the cluster. */
  readonly name: string
  readonly address: Address
  readonly connected: (channel: Channel) => void
}

/** Calls another server of the cluster, and again whenever that fails or `lost` says that the connection is gone. */
export class RaftCaller {
  readonly #options: RaftCallerOptions
  readonly #reconnect: Reconnect
  readonly #timer: MachineTimer
  #attempt: AbortController | undefined
  #closed = false

  constructor(options: RaftCallerOptions) {
    const { clock } = options
    this.#options = options
    this.#reconnect = new Reconnect(clock.now())
    const poll = (now: Instant) => {
      const action = this.#reconnect.poll(now)
      if (action === 'connect') this.#connect()
      else if (action === 'timeout') this.#attempt?.abort()
    }
    this.#timer = new MachineTimer(clock, { poll, pollAt: () => this.#reconnect.pollAt() })
    this.#timer.update()
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
    const { address, tls, clock, name, connected } = this.#options
    const attempt = new AbortController()
    this.#attempt = attempt
    openStream(address, address.method === 'ssl' ? tls() : undefined, attempt.signal).then(
      (duplex) => {
        this.#attempt = undefined
        if (this.#closed) {
          duplex.destroy()
          return
        }
        this.#reconnect.connected(clock.now())
        this.#timer.update()
        connected(new StreamChannel(duplex, name))
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
    const { log, name } = this.#options
    log.info(`${name}: ${reason ?? 'closed'}; waiting ${this.#reconnect.wait / SECOND} seconds`)
    this.#timer.update()
  }
}
