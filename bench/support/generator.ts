import { BURST, type PacketPool } from '../../engine/memory/packet-pool.ts'
import { type LinkState, type Netdev, STAT_COUNT } from '../../engine/netdev/netdev.ts'

/** Frames of one size, made when they are asked for. */
export interface Frames {
  readonly count: number
  at(i: number): Uint8Array
}

/**
 * Bytes of a frame that are its own: more than the headers that a switch looks at. What lies behind them is
 * the same in all frames of a device.
 */
const OWN = 128

/**
 * A device that never runs dry: it brings copies of prepared frames in turn, and only counts what it is sent.
 *
 * The copy is part of what is measured, as a read from a real device would be. The headers go word by word, which
 * for so few bytes is several times cheaper than a call of `set`; the bench of the stages tells what it takes.
 */
export class Generator implements Netdev {
  readonly name: string
  readonly fd = -1
  readonly offloads = 0
  readonly stats = new Float64Array(STAT_COUNT)
  mtu = 65_535
  readonly state: LinkState = 'up'
  readonly waiting = BURST
  sent = 0
  readonly #pool: PacketPool
  /** The pool's memory. */
  readonly #cells: Uint32Array
  /** The beginnings of all frames, one behind the other. */
  readonly #own: Uint32Array
  readonly #ownWords: number
  readonly #rest: Uint8Array
  readonly #length: number
  #next = 0

  constructor(name: string, pool: PacketPool, frames: Frames) {
    this.name = name
    this.#pool = pool
    this.#cells = new Uint32Array(pool.u8.buffer, pool.u8.byteOffset, pool.u8.byteLength >>> 2)
    this.#length = frames.count === 0 ? 0 : frames.at(0).length
    this.#ownWords = (Math.min(this.#length, OWN) + 3) >>> 2
    this.#own = new Uint32Array(frames.count * this.#ownWords)
    const own = new Uint8Array(this.#own.buffer)
    for (let i = 0; i < frames.count; i++) {
      const frame = frames.at(i)
      if (frame.length !== this.#length) throw new Error(`${name}: frames of different sizes`)
      own.set(frame.subarray(0, OWN), i * this.#ownWords * 4)
    }
    this.#rest = frames.count === 0 ? new Uint8Array(0) : frames.at(0).slice(OWN)
  }

  rx(out: Uint32Array, max: number): number {
    const pool = this.#pool
    const cells = this.#cells
    const own = this.#own
    const words = this.#ownWords
    for (let i = 0; i < max; i++) {
      const h = pool.alloc()
      if (h < 0) return i
      const at = pool.off[h]
      const to = at >>> 2
      const from = this.#next
      for (let w = 0; w < words; w++) cells[to + w] = own[from + w]
      if (this.#rest.length > 0) pool.u8.set(this.#rest, at + OWN)
      pool.len[h] = this.#length
      out[i] = h
      const next = from + words
      this.#next = next === own.length ? 0 : next
    }
    return max
  }

  tx(): void {
    this.sent++
  }

  prepare(): void {}

  flush(): void {}

  refresh(): void {}

  close(): void {}
}
