import type { Duplex } from 'node:stream'
import type { Address } from '../net/address.ts'
import { type Listener, listenStreams, peerId, type Stream, type TlsFiles } from '../net/stream.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import { StreamChannel } from './channel.ts'
import type { RemoteStatus } from './remote-status.ts'
import type { RemoteTarget } from './remote-targets.ts'
import type { OvsdbServer } from './server.ts'
import type { Session, SessionOptions } from './session.ts'

/** Silence after which a client that is not on this machine is asked whether it lives. */
export const PROBE_INTERVAL = 5000

/** When an address is tried again that could not be listened at. */
const RETRY_INTERVAL = 5000

export interface RemoteEnds {
  readonly server: OvsdbServer
  readonly clock: Clock
  readonly address: Address
  readonly tls: () => TlsFiles | undefined
  readonly target: RemoteTarget
  readonly log?: { info(text: string): void; err(text: string): void }
}

export function sessionOptions(target: RemoteTarget, address: Address, duplex: Duplex): SessionOptions {
  const { readOnly, role } = target
  const access = role === '' ? undefined : { role, client: peerId(duplex) }
  return { readOnly, access, probeInterval: probeIntervalOf(target, address) }
}

export function probeIntervalOf({ probeInterval }: RemoteTarget, { method }: Address): number {
  return probeInterval ?? (method === 'unix' ? 0 : PROBE_INTERVAL)
}

/** An address at which clients come. */
export class PassiveRemote {
  /** Resolves when it is being listened, or cannot be. */
  readonly settled: Promise<void>
  readonly #ends: RemoteEnds
  readonly #sessions = new Set<Session>()
  #target: RemoteTarget
  #listener: Listener | undefined
  #cancelRetry: Cancel | undefined
  #closed = false

  constructor(ends: RemoteEnds) {
    const { address, tls, target, log } = ends
    this.#ends = ends
    this.#target = target
    this.settled = this.#listen(address, tls).catch((error: Error) => {
      log?.err(`${target.target}: listen failed: ${error.message}`)
      this.#listenLater()
    })
  }

  /** Whoever has the address may leave it. */
  #listenLater(): void {
    const { clock, address, tls } = this.#ends
    if (this.#closed) return
    this.#cancelRetry = clock.schedule(clock.now() + RETRY_INTERVAL, () => {
      this.#listen(address, tls).catch(() => this.#listenLater())
    })
  }

  async #listen(address: Address, tls: () => TlsFiles | undefined): Promise<void> {
    const { server } = this.#ends
    server.events.pstream_open++
    const accept = ({ duplex, peer }: Stream) => {
      const options = sessionOptions(this.#target, address, duplex)
      const session = server.accept(
        new StreamChannel(duplex, peer, { budget: server.receiveBudget }),
        options,
        () => {
          this.#sessions.delete(session)
        },
      )
      this.#sessions.add(session)
    }
    const listener = await listenStreams(address, tls(), accept, this.#target.dscp)
    if (this.#closed) await listener.close()
    else this.#listener = listener
  }

  get boundPort(): number | undefined {
    return this.#listener?.port
  }

  get status(): RemoteStatus {
    const port = this.boundPort
    return {
      connected: this.#sessions.size > 0,
      connections: this.#sessions.size,
      ...(port === undefined ? {} : { boundPort: port }),
    }
  }

  configure(target: RemoteTarget): void {
    this.#target = target
    for (const session of this.#sessions) session.probeInterval = probeIntervalOf(target, this.#ends.address)
  }

  /** Its clients are disconnected. */
  close(): void {
    this.#closed = true
    this.#cancelRetry?.()
    void this.#listener?.close()
    for (const session of [...this.#sessions]) session.close()
  }
}
