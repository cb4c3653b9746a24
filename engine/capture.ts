/**
 * Frames copied aside for who watches a port. Off, it costs one byte read a burst and a frame sent. Frames are
 * collected and handed over in batches; what comes faster than the watcher takes it is counted as lost.
 */
import type { Instant } from '../protocols/time.ts'
import type { CapturedFrame, DpifEvent } from './dpif.ts'
import { DROP_NAMES } from './drops.ts'
import type { PacketPool } from './memory/packet-pool.ts'

/** Frames handed over in one event, and at the most between two flushes. */
const BATCH = 256

interface Capture {
  readonly port: string
  readonly snaplen: number
  frames: CapturedFrame[]
  lost: number
}

export interface CaptureHost {
  readonly pool: PacketPool
  readonly now: Instant
  readonly emit: (event: DpifEvent) => void
}

export class Captures {
  /** 1 for each datapath port number that is being watched. */
  readonly active = new Uint8Array(65_536)
  readonly #host: CaptureHost
  readonly #byPort = new Map<number, Capture>()

  constructor(host: CaptureHost) {
    this.#host = host
  }

  start(portNo: number, port: string, snaplen: number): void {
    this.#byPort.set(portNo, { port, snaplen, frames: [], lost: 0 })
    this.active[portNo] = 1
  }

  stop(portNo: number): void {
    this.flush()
    this.#byPort.delete(portNo)
    this.active[portNo] = 0
  }

  /** The port that may be watched has another number, which nobody had. */
  renumber(from: number, to: number): void {
    const capture = this.#byPort.get(from)
    if (capture === undefined) return
    this.#byPort.delete(from)
    this.#byPort.set(to, capture)
    this.active[from] = 0
    this.active[to] = 1
  }

  record(portNo: number, h: number, direction: 'in' | 'out'): void {
    this.#add(portNo, h, direction, undefined)
  }

  /** The frame stands here a second time, as it was when the switch gave it up, with the reason. */
  recordDrop(portNo: number, h: number, reason: number): void {
    this.#add(portNo, h, 'in', DROP_NAMES[reason])
  }

  /** Hands over what has been collected. */
  flush(): void {
    for (const capture of this.#byPort.values()) {
      if (capture.frames.length === 0 && capture.lost === 0) continue
      const { port, frames, lost } = capture
      capture.frames = []
      capture.lost = 0
      this.#host.emit({ type: 'capture', port, frames, lost })
    }
  }

  #add(portNo: number, h: number, direction: 'in' | 'out', dropped: string | undefined): void {
    const capture = this.#byPort.get(portNo)
    if (capture === undefined) return
    if (capture.frames.length >= BATCH) {
      capture.lost++
      return
    }
    const { pool, now } = this.#host
    const originalLength = pool.len[h]
    const frame = pool.bytes(h).slice(0, capture.snaplen)
    capture.frames.push({
      time: now,
      direction,
      frame,
      originalLength,
      ...(dropped === undefined ? {} : { dropped }),
    })
  }
}
