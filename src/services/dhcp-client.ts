/** Drives the DHCP client machine over a UDP socket that lives where the host's interface does. */

import { DhcpClient, type DhcpClientConfig, type DhcpClientState } from '../../protocols/dhcp/client.ts'
import type { ClientLease } from '../../protocols/dhcp/client-lease.ts'
import type { Random } from '../../protocols/random.ts'
import { type Clock, MachineTimer } from './scheduler.ts'

/** A UDP socket bound to port 68 on the interface, allowed to broadcast. */
export interface DhcpClientTransport {
  /** Sends a payload to port 67: broadcast to 255.255.255.255, or to the server `to`. */
  send(
    payload: Uint8Array,
    target: { readonly broadcast: true } | { readonly broadcast: false; readonly to: number },
  ): void
  onMessage(listener: (payload: Uint8Array) => void): void
}

export interface DhcpClientServiceOptions {
  readonly config: DhcpClientConfig
  readonly transport: DhcpClientTransport
  readonly clock: Clock
  readonly random: Random
  /** Configure the interface; `undefined`: take the configuration away. Called again only for a change or renewal. */
  readonly apply: (lease: ClientLease | undefined) => void
  /** An address from before, to be asked for first. */
  readonly previous?: number
}

export class DhcpClientService {
  readonly #clock: Clock
  readonly #client: DhcpClient
  readonly #timer: MachineTimer
  #stopped = false

  /** Starts at once. */
  constructor(options: DhcpClientServiceOptions) {
    const { transport, clock } = options
    this.#clock = clock
    this.#client = new DhcpClient(
      options.config,
      {
        send: (payload, to) =>
          transport.send(payload, to === 'broadcast' ? { broadcast: true } : { broadcast: false, to }),
        configured: (lease) => options.apply(lease),
        lost: () => options.apply(undefined),
      },
      options.random,
    )
    this.#timer = new MachineTimer(clock, this.#client)
    transport.onMessage((payload) => {
      if (this.#stopped) return
      this.#client.receive(clock.now(), payload)
      this.#timer.update()
    })
    this.#client.start(clock.now(), options.previous)
    this.#timer.update()
  }

  get state(): DhcpClientState {
    return this.#client.state
  }

  get lease(): ClientLease | undefined {
    return this.#client.lease
  }

  /** The address was found in use by another host: give it up and look for another. */
  decline(): void {
    if (this.#stopped) return
    this.#client.decline(this.#clock.now())
    this.#timer.update()
  }

  /** Gives the lease back and stops. */
  release(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#timer.stop()
    this.#client.release(this.#clock.now())
  }

  /** Stops and keeps the lease, for a restart that asks for the same address. Nothing is applied any more. */
  detach(): void {
    this.#stopped = true
    this.#timer.stop()
  }
}
