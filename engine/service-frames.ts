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

/** Sends what services have left in the ring. */
export class AnswerIntake {
  readonly #ring: FrameReader<AnswerWay>
  readonly #commands: Pick<DpifCommands, 'routerOutput' | 'routerSend'>
  readonly #drops: DropCounters

  constructor(
    ring: FrameReader<AnswerWay>,
    commands: Pick<DpifCommands, 'routerOutput' | 'routerSend'>,
    drops: DropCounters,
  ) {
    this.#ring = ring
    this.#commands = commands
    this.#drops = drops
  }

  get empty(): boolean {
    return this.#ring.empty
  }

  /** Some of them; whether there may be more. */
  take(): boolean {
    return !this.#ring.empty && this.#ring.drain(this.#send)
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
