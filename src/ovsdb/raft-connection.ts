/** One connection between two servers of a cluster, whoever has made it. */

import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { type Uuid, ZERO_UUID } from '../../protocols/ovsdb/uuid.ts'
import { nickname } from '../../protocols/raft/address.ts'
import { type Envelope, rpcParameter } from '../../protocols/raft/rpc.ts'
import type { Duration } from '../../protocols/time.ts'
import type { Clock } from '../services/scheduler.ts'
import type { Channel } from './channel.ts'
import { RpcPeer } from './rpc-peer.ts'

/** What may be sent and not taken, until the connection is given up. */
export interface BacklogLimits {
  messages: number
  bytes: number
}

export interface RaftConnectionOptions {
  readonly clock: Clock
  readonly probeInterval: Duration
  readonly limits: BacklogLimits
  readonly incoming: boolean
  /** Of the server, where that is known. */
  readonly sid?: Uuid | undefined
}

export interface RaftConnectionHandlers {
  received(connection: RaftConnection, method: string, params: readonly Json[]): void
  closed(connection: RaftConnection, reason: string | undefined): void
}

export class RaftConnection {
  readonly incoming: boolean
  /** Zero until its first message tells. */
  sid: Uuid
  /** Where the server listens, as far as that is known. */
  address: string
  readonly #peer: RpcPeer
  readonly #limits: BacklogLimits
  #untaken = 0

  constructor(channel: Channel, options: RaftConnectionOptions, handlers: RaftConnectionHandlers) {
    const { clock, probeInterval, limits, incoming, sid = ZERO_UUID } = options
    this.incoming = incoming
    this.sid = sid
    this.address = channel.peer
    this.#limits = limits
    this.#peer = new RpcPeer(channel, clock, probeInterval, {
      notification: (method, params) => handlers.received(this, method, params),
      drained: () => {
        this.#untaken = 0
      },
      closed: (reason) => handlers.closed(this, reason),
    })
  }

  get nickname(): string {
    return nickname(this.address, this.sid)
  }

  /** Bytes that the other server has not taken. */
  get backlog(): number {
    return this.#peer.backlog
  }

  set probeInterval(interval: Duration) {
    this.#peer.probeInterval = interval
  }

  /** False when the connection is not to be had any more. */
  send(envelope: Envelope): boolean {
    if (this.#peer.closed) return false
    const { messages, bytes } = this.#limits
    if (this.#untaken >= messages || this.#peer.backlog > bytes) {
      this.#peer.abort()
      return false
    }
    this.#untaken++
    this.#peer.notify(envelope.rpc.method, [rpcParameter(envelope)])
    return true
  }

  close(): void {
    this.#peer.close()
  }
}
