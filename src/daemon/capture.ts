import type { Writable } from 'node:stream'
import type { Dpif, DpifEvent } from '../../engine/dpif.ts'
import {
  enhancedPacket,
  INBOUND,
  interfaceDescription,
  OUTBOUND,
  SNAPLEN_MAX,
  sectionHeader,
} from '../../protocols/wire/pcapng.ts'

export type CaptureEvent = Extract<DpifEvent, { type: 'capture' }>
type Subscriber = (event: CaptureEvent) => void

/** A reader that does not keep up misses frames rather than filling our memory. */
const MAX_BUFFERED = 16 * 1024 * 1024

export interface CaptureRequest {
  readonly ports: readonly string[]
  /** Ends after so many frames. */
  readonly count: number
  readonly snaplen: number
}

/** Hands captured frames to everybody who watches a port, and has the port watched as long as anybody does. */
export class CaptureHub {
  readonly #dpif: Dpif
  readonly #watchers = new Map<string, Set<Subscriber>>()

  constructor(dpif: Dpif) {
    this.#dpif = dpif
  }

  /** For the event listener of the door. */
  deliver(event: CaptureEvent): void {
    for (const subscriber of this.#watchers.get(event.port) ?? []) subscriber(event)
  }

  /** Hands what a port receives and sends to a listener until the function that is answered is called. */
  async follow(port: string, listener: Subscriber): Promise<() => Promise<void>> {
    await this.#watch(port, listener)
    return () => this.#leave(port, listener)
  }

  async #watch(port: string, subscriber: Subscriber): Promise<void> {
    const watchers = this.#watchers.get(port) ?? new Set()
    this.#watchers.set(port, watchers)
    watchers.add(subscriber)
    // Everybody cuts for himself, so one setting serves them all.
    if (watchers.size === 1) await this.#dpif.captureStart(port, SNAPLEN_MAX)
  }

  async #leave(port: string, subscriber: Subscriber): Promise<void> {
    const watchers = this.#watchers.get(port)
    if (watchers === undefined || !watchers.delete(subscriber) || watchers.size > 0) return
    this.#watchers.delete(port)
    // The dataplane may have ended, and the capture with it.
    await this.#dpif.captureStop(port).catch(() => {})
  }

  /**
   * Writes a pcapng file to `output`, frames as they come, one interface a port; a frame the switch dropped
   * carries the reason as its comment. Ends with the request's count, the signal or the output's end.
   */
  async run(request: CaptureRequest, output: Writable, signal: AbortSignal): Promise<void> {
    const interfaces = new Map(request.ports.map((port, index) => [port, index]))
    output.write(sectionHeader('vswitchd-ts'))
    for (const name of request.ports) {
      output.write(interfaceDescription({ name, snaplen: request.snaplen, resolution: 9 }))
    }
    let left = request.count
    let lost = 0
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const subscriber: Subscriber = (event) => {
      lost += event.lost
      for (const captured of event.frames) {
        if (left <= 0) return
        if (output.writableLength > MAX_BUFFERED) {
          lost++
          continue
        }
        const remarks: string[] = []
        if (captured.dropped !== undefined) remarks.push(`dropped: ${captured.dropped}`)
        if (lost > 0) remarks.push(`${lost} frames before this one were not captured`)
        lost = 0
        output.write(
          enhancedPacket({
            interfaceId: interfaces.get(event.port) ?? 0,
            time: captured.time,
            resolution: 9,
            frame: captured.frame.subarray(0, request.snaplen),
            originalLength: captured.originalLength,
            direction: captured.direction === 'in' ? INBOUND : OUTBOUND,
            ...(remarks.length === 0 ? {} : { comment: remarks.join('; ') }),
          }),
        )
        left--
        if (left <= 0) finish()
      }
    }
    signal.addEventListener('abort', finish, { once: true })
    output.once('close', finish)
    try {
      for (const port of request.ports) await this.#watch(port, subscriber)
      if (!signal.aborted && left > 0) await finished
    } finally {
      signal.removeEventListener('abort', finish)
      output.off('close', finish)
      for (const port of request.ports) await this.#leave(port, subscriber)
    }
  }
}
