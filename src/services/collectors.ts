/** Collectors of IPFIX messages, by UDP from the machine's own namespace (RFC 7011 §10.3). */
import { createSocket, type Socket } from 'node:dgram'
import type { ExporterSink } from '../../protocols/ipfix/exporter.ts'
import { parseCollector } from './collector-address.ts'

/** Messages that the system has not taken yet, for each collector; beyond these they count as not sent. */
const MAX_PENDING = 1024

export type CollectorLog = (level: 'info' | 'warn', message: string) => void

/** Those of one exporter. */
export class Collectors implements ExporterSink {
  readonly #log: CollectorLog
  readonly #byTarget = new Map<string, Collector>()
  /** Messages that were sent; one for each collector. */
  transmitted = 0
  errors = 0

  constructor(log: CollectorLog) {
    this.#log = log
  }

  /** Answers whether there is one that was not there before. @param targets as parseCollector reads them */
  async configure(targets: readonly string[]): Promise<boolean> {
    const fresh = targets.filter((target) => !this.#byTarget.has(target))
    for (const target of fresh) this.#byTarget.set(target, new Collector(target, this, this.#log))
    for (const [target, collector] of [...this.#byTarget]) {
      if (targets.includes(target)) continue
      this.#byTarget.delete(target)
      await collector.close()
    }
    return fresh.length > 0
  }

  send(message: Uint8Array): void {
    for (const collector of this.#byTarget.values()) collector.send(message)
  }

  /** Resolves when what has been sent is gone. */
  async close(): Promise<void> {
    await this.configure([])
  }
}

class Collector {
  readonly #target: string
  readonly #host: string
  readonly #port: number
  readonly #counters: { transmitted: number; errors: number }
  readonly #log: CollectorLog
  readonly #socket: Socket
  #pending = 0
  #reached = true
  #drained: (() => void) | undefined

  constructor(target: string, counters: { transmitted: number; errors: number }, log: CollectorLog) {
    const { host, port, family } = parseCollector(target)!
    this.#target = target
    this.#host = host
    this.#port = port
    this.#counters = counters
    this.#log = log
    this.#socket = createSocket({
      type: family === 4 ? 'udp4' : 'udp6',
      // It is an address: nothing is to be looked up.
      lookup: (_host, _options, done) => done(null, host, family),
    })
    this.#socket.on('error', (error) => this.#failed(error))
  }

  send(message: Uint8Array): void {
    if (this.#pending === MAX_PENDING) {
      this.#counters.errors++
      return
    }
    this.#pending++
    this.#socket.send(message, this.#port, this.#host, (error) => {
      this.#pending--
      if (error === null) this.#sent()
      else this.#failed(error)
      if (this.#pending === 0) this.#drained?.()
    })
  }

  async close(): Promise<void> {
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#drained = resolve))
    this.#socket.close()
  }

  #sent(): void {
    this.#counters.transmitted++
    if (!this.#reached) this.#log('info', `The IPFIX collector ${this.#target} can be reached again.`)
    this.#reached = true
  }

  #failed(error: Error): void {
    this.#counters.errors++
    if (this.#reached) {
      this.#log('warn', `The IPFIX collector ${this.#target} cannot be reached: ${error.message}.`)
    }
    this.#reached = false
  }
}
