import type { Duplex } from 'node:stream'
import { type Instant, SECOND } from '../../protocols/time.ts'
import { Caller } from './caller.ts'
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
  readonly #caller: Caller
  #target: RemoteTarget
  #session: Session | undefined
  #connectedAt: Instant | undefined
  #disconnectedAt: Instant | undefined
  #lastError: string | undefined

  constructor(ends: RemoteEnds) {
    const { clock, tls, log, address, target } = ends
    this.#ends = ends
    this.#target = target
    this.#caller = new Caller({
      ...{ clock, tls, log, address, name: target.target, dscp: target.dscp, maxBackoff: target.maxBackoff },
      connected: (duplex) => this.#connected(duplex),
      failed: (reason) => {
        this.#lastError = reason
      },
    })
  }

  get status(): RemoteStatus {
    const { clock, server } = this.#ends
    const seconds = (at: Instant) => Math.floor((clock.now() - at) / SECOND)
    return {
      connected: this.#session !== undefined,
      state: this.#session !== undefined ? 'ACTIVE' : this.#caller.calling ? 'CONNECTING' : 'BACKOFF',
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
    this.#caller.maxBackoff = target.maxBackoff
    if (this.#session !== undefined) this.#session.probeInterval = probeIntervalOf(target, this.#ends.address)
  }

  close(): void {
    this.#caller.close()
    this.#session?.close()
  }

  #connected(duplex: Duplex): void {
    const { server, clock, address } = this.#ends
    const channel = new StreamChannel(duplex, this.#target.target, { budget: server.receiveBudget })
    this.#connectedAt = clock.now()
    const options = sessionOptions(this.#target, address, duplex)
    this.#session = server.accept(channel, options, (reason) => {
      this.#session = undefined
      this.#disconnectedAt = clock.now()
      this.#caller.lost(reason)
    })
  }
}
