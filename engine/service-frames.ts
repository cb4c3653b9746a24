/** Datagrams of services behind routers' interfaces: up to the thread where services live, and their answers. */
import { type DpifCommands, DpifError } from './dpif.ts'
import { DROP_PORT_DOWN, type DropCounters } from './drops.ts'
import type { FrameReader } from './frame-ring.ts'

/** Whose service a datagram is for. */
export interface ServiceAddress {
  readonly router: string
  readonly interface: string
}

/** Which way an answer goes: a frame out of an interface, or a datagram wherever the router routes it. */
export interface AnswerWay {
  readonly router: string
  readonly interface: string | undefined
}

/**
 * Takes the `length` bytes at `at`, which are its only until it returns; false when there is no room for them.
 * @param iface index of the interface
 */
export type ServiceSink = (
  iface: number,
  address: ServiceAddress,
  bytes: Uint8Array,
  at: number,
  length: number,
) => boolean

/**
 * Answers that are sent at once, and the pause behind them in milliseconds when there are more: a host's socket holds
 * some 200 datagrams, and what comes while its program is not at it is lost.
 */
const BURST = 128
const PAUSE = 1

/** Sends what services have left in the ring. */
export class AnswerIntake {
  readonly #ring: FrameReader<AnswerWay>
  readonly #commands: Pick<DpifCommands, 'routerOutput' | 'routerSend'>
  readonly #drops: DropCounters
  #next = 0

  constructor(
    ring: FrameReader<AnswerWay>,
    commands: Pick<DpifCommands, 'routerOutput' | 'routerSend'>,
    drops: DropCounters,
  ) {
    this.#ring = ring
    this.#commands = commands
    this.#drops = drops
  }

  /** Sends some if there are any and it is time; `at` is of any steady clock. */
  take(at: number): void {
    if (at < this.#next || this.#ring.empty) return
    if (this.#ring.drain(this.#send, BURST)) this.#next = at + PAUSE
  }

  /** By the same clock, when there is something to send; Infinity for nothing. */
  dueAt(): number {
    return this.#ring.empty ? Number.POSITIVE_INFINITY : this.#next
  }

  readonly #send = (way: AnswerWay, frame: Uint8Array): void => {
    try {
      if (way.interface === undefined) this.#commands.routerSend(way.router, frame)
      else this.#commands.routerOutput(way.router, way.interface, frame)
    } catch (error) {
      // Its router has gone meanwhile, or there is no room for it; its client will ask again.
      if (!(error instanceof DpifError)) throw error
      this.#drops.counts[DROP_PORT_DOWN]++
    }
  }
}
