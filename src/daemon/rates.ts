import { setTimeout as sleep } from 'node:timers/promises'
import type { PortStatus } from '../../engine/dpif.ts'
import { now } from '../../engine/sys/clock.ts'
import type { PortRow } from '../control/protocol.ts'

type Rates = Pick<PortRow, 'rxPacketRate' | 'rxBitRate' | 'txPacketRate' | 'txBitRate'>

interface Sample {
  readonly at: number
  readonly ports: ReadonlyMap<string, PortStatus>
}

/** Rates of two samples a moment apart. Nobody samples while nobody asks. */
export class RateMeter {
  readonly #read: () => Promise<PortStatus[]>
  #last: Sample | undefined

  constructor(read: () => Promise<PortStatus[]>) {
    this.#read = read
  }

  /** The ports as they are now, and their rates since the last look; the first look takes a moment. */
  async look(): Promise<{ ports: PortStatus[]; rates: (port: string) => Rates }> {
    let before = this.#last
    if (before === undefined || now() - before.at > OLDEST_MS) {
      before = await this.#sample()
      await sleep(MOMENT_MS)
    }
    const after = await this.#sample()
    // Two who ask at the same time must not shorten each other's span to nothing.
    if (after.at - before.at >= MOMENT_MS || this.#last === undefined) this.#last = after
    const from = before
    const seconds = Math.max(after.at - from.at, 1) / 1000
    return {
      ports: [...after.ports.values()],
      rates: (name) => {
        const a = from.ports.get(name)?.stats
        const b = after.ports.get(name)?.stats
        const rate = (counter: string, factor: number) =>
          a === undefined || b === undefined
            ? 0
            : Math.max(0, ((b[counter] ?? 0) - (a[counter] ?? 0)) * factor) / seconds
        return {
          rxPacketRate: rate('rx_packets', 1),
          rxBitRate: rate('rx_bytes', 8),
          txPacketRate: rate('tx_packets', 1),
          txBitRate: rate('tx_bytes', 8),
        }
      },
    }
  }

  async #sample(): Promise<Sample> {
    const ports = await this.#read()
    return { at: now(), ports: new Map(ports.map((port) => [port.name, port])) }
  }
}

/** Samples older than this say nothing about the present. */
const OLDEST_MS = 3000
/** Shortest span that gives a rate. */
const MOMENT_MS = 250
