/**
 * One side of a JSON-RPC conversation: requests find their replies, echoes are answered, and a peer that is silent is
 * asked whether it lives, and given up when it stays silent (ovsdb-server(7), "inactivity probe").
 */

import type { RpcMessage } from '../../protocols/ovsdb/json-rpc.ts'
import { formatJson, type Json } from '../../protocols/ovsdb/json-text.ts'
import type { Duration, Instant } from '../../protocols/time.ts'
import { type Clock, MachineTimer } from '../services/scheduler.ts'
import type { Channel } from './channel.ts'

/** The peer has answered a request with an error. */
export class RpcError extends Error {
  readonly error: Json

  constructor(error: Json) {
    super(formatJson(error))
    this.name = 'RpcError'
    this.error = error
  }
}

/** The connection ended before the reply came; whether the request was carried out is unknown. */
export class ConnectionLost extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'ConnectionLost'
  }
}

export interface RpcPeerHandlers {
  /** Any request but echo. Whoever handles it answers on the peer. */
  request?(message: RpcMessage & { type: 'request' }): void
  notification?(method: string, params: readonly Json[]): void
  /** An echo was answered. */
  echoed?(): void
  /** The peer has taken all that there was. */
  drained?(): void
  /** Once. @param reason for people; undefined when we have closed it */
  closed?(reason: string | undefined): void
}

interface Waiting {
  readonly resolve: (result: Json) => void
  readonly reject: (error: Error) => void
}

const PROBE_ID = 'echo'

export class RpcPeer {
  readonly #channel: Channel
  readonly #handlers: RpcPeerHandlers
  readonly #waiting = new Map<number, Waiting>()
  readonly #timer: MachineTimer
  #probeInterval: Duration
  #lastHeard: Instant
  #probed = false
  #nextId = 0
  #ended: string | undefined

  /** @param probeInterval 0: silence is no matter */
  constructor(channel: Channel, clock: Clock, probeInterval: Duration, handlers: RpcPeerHandlers) {
    this.#channel = channel
    this.#handlers = handlers
    this.#probeInterval = probeInterval
    this.#lastHeard = clock.now()
    this.#timer = new MachineTimer(clock, {
      poll: (now) => this.#poll(now),
      pollAt: () => this.#pollAt(),
    })
    this.#timer.update()
    channel.start({
      message: (message) => this.#receive(message),
      alive: () => {
        this.#lastHeard = clock.now()
        this.#probed = false
      },
      drained: () => handlers.drained?.(),
      closed: (reason) => this.#end(reason),
    })
  }

  get peer(): string {
    return this.#channel.peer
  }

  /** Bytes that the peer has not yet taken. */
  get backlog(): number {
    return this.#channel.backlog
  }

  get closed(): boolean {
    return this.#ended !== undefined
  }

  /** Milliseconds; 0: never. */
  set probeInterval(interval: Duration) {
    this.#probeInterval = interval
    this.#timer.stop()
    this.#timer.update()
  }

  /** Resolves with the result. Rejects with RpcError or ConnectionLost. */
  request(method: string, params: readonly Json[]): Promise<Json> {
    if (this.#ended !== undefined) return Promise.reject(new ConnectionLost(this.#ended))
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#channel.send({ type: 'request', method, params, id })
    })
  }

  notify(method: string, params: readonly Json[]): void {
    this.#channel.send({ type: 'notification', method, params })
  }

  reply(id: Json, result: Json): void {
    this.#channel.send({ type: 'reply', result, id })
  }

  replyError(id: Json, error: Json): void {
    this.#channel.send({ type: 'error', error, id })
  }

  /** What was sent still goes out. Idempotent. */
  close(): void {
    this.#channel.close()
  }

  /** What was sent and not taken is lost. Idempotent. */
  abort(): void {
    this.#channel.abort()
  }

  /** While paused nothing is received. */
  pause(): void {
    this.#channel.pause()
  }

  resume(): void {
    this.#channel.resume()
  }

  #receive(message: RpcMessage): void {
    switch (message.type) {
      case 'request':
        if (message.method === 'echo') {
          this.reply(message.id, message.params)
          this.#handlers.echoed?.()
        } else if (this.#handlers.request !== undefined) this.#handlers.request(message)
        else this.replyError(message.id, { error: 'unknown method' })
        return
      case 'notification':
        this.#handlers.notification?.(message.method, message.params)
        return
      default: {
        // The answer to a probe is nobody's, like one to a request that was never made.
        const waiting = typeof message.id === 'number' ? this.#waiting.get(message.id) : undefined
        if (waiting === undefined) return
        this.#waiting.delete(message.id as number)
        if (message.type === 'reply') waiting.resolve(message.result)
        else waiting.reject(new RpcError(message.error))
      }
    }
  }

  #pollAt(): Instant | undefined {
    if (this.#probeInterval === 0 || this.#ended !== undefined) return undefined
    return this.#lastHeard + this.#probeInterval * (this.#probed ? 2 : 1)
  }

  #poll(now: Instant): void {
    const due = this.#pollAt()
    if (due === undefined || now < due) return
    if (!this.#probed) {
      this.#probed = true
      this.#channel.send({ type: 'request', method: 'echo', params: [], id: PROBE_ID })
      return
    }
    const seconds = (now - this.#lastHeard) / 1000
    this.#end(`no response to inactivity probe after ${seconds.toPrecision(3)} seconds, disconnecting`)
    this.#channel.abort()
  }

  #end(reason: string | undefined): void {
    if (this.#ended !== undefined) return
    this.#ended = reason ?? 'connection closed'
    this.#timer.stop()
    for (const { reject } of this.#waiting.values()) reject(new ConnectionLost(this.#ended))
    this.#waiting.clear()
    this.#handlers.closed?.(reason)
  }
}
