/**
 * What dummy ports are connected to, by the options of their interfaces: files that what they receive and send is
 * written to (`pcap`, `rx_pcap`, `tx_pcap`), and streams (`stream`, `pstream`).
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { Dpif } from '../../engine/dpif.ts'
import * as pcap from '../../protocols/wire/pcap.ts'
import type { CaptureEvent, CaptureHub } from '../daemon/capture.ts'
import type { Clock } from '../services/scheduler.ts'
import { DummyStream } from './dummy-stream.ts'

export interface DummyOptions {
  readonly rxPcap?: string
  readonly txPcap?: string
  readonly streams: readonly string[]
}

export interface DummyLinksOptions {
  readonly dpif: Dpif
  readonly captures: CaptureHub
  readonly clock: Clock
  readonly warn: (message: string) => void
}

export class DummyLinks {
  readonly #options: DummyLinksOptions
  readonly #links = new Map<string, DummyLink>()

  constructor(options: DummyLinksOptions) {
    this.#options = options
  }

  /** @param wanted by port; those without options may be left out */
  async configure(wanted: ReadonlyMap<string, DummyOptions>): Promise<void> {
    for (const [port, link] of this.#links) {
      if (link.key === keyOf(wanted.get(port))) continue
      this.#links.delete(port)
      await link.close()
    }
    const fresh = [...wanted.keys()].filter((port) => !this.#links.has(port))
    if (fresh.length === 0) return
    const ports = await this.#options.dpif.ports(fresh)
    const dummies = new Set(ports.filter(({ type }) => type === 'memory').map(({ name }) => name))
    for (const [port, options] of wanted) {
      if (!dummies.has(port)) continue
      const link = new DummyLink(port, options, this.#options)
      this.#links.set(port, link)
      await link.watch()
    }
  }

  /** Of the stream that a port asks for. */
  stateOf(port: string): 'connected' | 'disconnected' | 'unknown' {
    return this.#links.get(port)?.state ?? 'unknown'
  }

  async close(): Promise<void> {
    await this.configure(new Map())
  }
}

const keyOf = (options: DummyOptions | undefined): string => JSON.stringify(options)

class DummyLink {
  readonly key: string
  readonly #port: string
  readonly #captures: CaptureHub
  readonly #streams: readonly (readonly [target: string, stream: DummyStream])[]
  /** Files, by whose name they were asked for. */
  readonly #files = new Map<string, number>()
  readonly #rx: number | undefined
  readonly #tx: number | undefined
  #leave: () => Promise<void> = async () => {}

  constructor(port: string, options: DummyOptions, { dpif, captures, clock, warn }: DummyLinksOptions) {
    this.key = keyOf(options)
    this.#port = port
    this.#captures = captures
    const onFrames = (frames: readonly Uint8Array[]) => {
      // The port may have gone meanwhile.
      dpif.portInput(port, frames).catch(() => {})
    }
    this.#streams = options.streams.map((target) => [
      target,
      new DummyStream(target, { clock, onFrames, warn }),
    ])
    this.#rx = this.#open(options.rxPcap, warn)
    this.#tx = this.#open(options.txPcap, warn)
  }

  get state(): 'connected' | 'disconnected' | 'unknown' {
    const asked = this.#streams.find(([target]) => !target.startsWith('p'))
    if (asked === undefined) return 'unknown'
    return asked[1].connected ? 'connected' : 'disconnected'
  }

  async watch(): Promise<void> {
    this.#leave = await this.#captures.follow(this.#port, (event) => this.#take(event))
  }

  async close(): Promise<void> {
    await this.#leave()
    for (const [, stream] of this.#streams) stream.close()
    for (const fd of this.#files.values()) closeSync(fd)
  }

  /** Both directions may share a file. */
  #open(path: string | undefined, warn: (message: string) => void): number | undefined {
    if (path === undefined) return undefined
    const open = this.#files.get(path)
    if (open !== undefined) return open
    try {
      const fd = openSync(path, 'w', 0o644)
      writeSync(fd, pcap.header())
      this.#files.set(path, fd)
      return fd
    } catch (error) {
      warn(`${path}: ${(error as Error).message}`)
      return undefined
    }
  }

  #take({ frames }: CaptureEvent): void {
    for (const { direction, frame, time, dropped } of frames) {
      // A frame that was dropped stands there a second time.
      if (dropped !== undefined) continue
      const file = direction === 'in' ? this.#rx : this.#tx
      if (file !== undefined) writeSync(file, pcap.record(time, frame))
      if (direction === 'out') for (const [, stream] of this.#streams) stream.send(frame)
    }
  }
}
