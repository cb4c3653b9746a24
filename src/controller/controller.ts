/** A small controller: switches connect to it, or it connects to them, and each becomes a learning switch of its own. */

import type { Duplex } from 'node:stream'
import { type Duration, SECOND } from '../../protocols/time.ts'
import { type Address, formatAddress } from '../net/address.ts'
import { type Listener, listenStreams, openStream, type TlsFiles } from '../net/stream.ts'
import { SwitchConnection } from '../ofctl/switch-connection.ts'
import type { Clock } from '../services/scheduler.ts'
import { LearningSwitch, type LearningSwitchOptions } from './learning-switch.ts'

export interface ControllerOptions extends LearningSwitchOptions {
  /** 1 << version. */
  readonly versions: number
  readonly tls?: TlsFiles | undefined
  /** Listen to switches, and say nothing to them. */
  readonly mute: boolean
  readonly clock: Clock
  readonly log: (line: string) => void
}

const PROBE: Duration = 5 * SECOND
const CONNECT_TIMEOUT: Duration = 10 * SECOND
const FIRST_BACKOFF: Duration = 1 * SECOND
const LAST_BACKOFF: Duration = 8 * SECOND

export class Controller {
  readonly #options: ControllerOptions
  readonly #listeners: Listener[] = []
  readonly #connections = new Set<Duplex>()
  readonly #cancels = new Set<() => void>()
  readonly #ending = new AbortController()

  constructor(options: ControllerOptions) {
    this.#options = options
  }

  /** Listens, or begins to connect and goes on trying. Rejects when an address cannot be listened at. */
  async add(address: Address): Promise<Listener | undefined> {
    if (!address.passive) {
      void this.#keep(address)
      return undefined
    }
    const listener = await listenStreams(
      address,
      this.#options.tls,
      ({ duplex, peer }) => void this.#serve(duplex, peer),
    )
    this.#listeners.push(listener)
    return listener
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#ending.abort()
    for (const cancel of this.#cancels) cancel()
    for (const duplex of this.#connections) duplex.destroy()
    await Promise.all(this.#listeners.map((listener) => listener.close()))
  }

  get #closed(): boolean {
    return this.#ending.signal.aborted
  }

  async #keep(address: Address): Promise<void> {
    const name = formatAddress(address)
    let backoff = FIRST_BACKOFF
    while (!this.#closed) {
      try {
        const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(CONNECT_TIMEOUT)])
        const duplex = await openStream(address, this.#options.tls, signal)
        backoff = FIRST_BACKOFF
        await this.#serve(duplex, name)
      } catch (error) {
        if (!this.#closed) this.#options.log(`${name}: ${(error as Error).message}`)
      }
      await this.#wait(backoff)
      backoff = Math.min(2 * backoff, LAST_BACKOFF)
    }
  }

  #wait(span: Duration): Promise<void> {
    const { clock } = this.#options
    return new Promise((resolve) => {
      const done = (): void => {
        this.#cancels.delete(stop)
        resolve()
      }
      const cancel = clock.schedule(clock.now() + span, done)
      const stop = (): void => {
        cancel()
        done()
      }
      if (this.#closed) stop()
      else this.#cancels.add(stop)
    })
  }

  /** Until the switch goes. */
  async #serve(duplex: Duplex, peer: string): Promise<void> {
    const { log, versions, mute, clock } = this.#options
    this.#connections.add(duplex)
    const gone = new Promise<void>((resolve) => duplex.once('close', () => resolve()))
    try {
      const connection = await SwitchConnection.over(peer, duplex, {
        versions,
        inactivityProbe: PROBE,
        mute,
        onRefusal: (refusal) => log(`${peer}: ${refusal.message}`),
      })
      if (!mute) {
        const datapathId = await LearningSwitch.start(connection, this.#options, clock)
        log(`${peer}: connected to switch ${datapathId.toString(16).padStart(16, '0')}`)
      }
      await gone
    } catch (error) {
      if (!this.#closed) log(`${peer}: ${(error as Error).message}`)
      duplex.destroy()
    }
    this.#connections.delete(duplex)
    if (!this.#closed) log(`${peer}: disconnected`)
  }
}
