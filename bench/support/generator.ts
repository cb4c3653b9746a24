import type { PacketPool } from '../../engine/memory/packet-pool.ts'
import { type LinkState, type Netdev, STAT_COUNT } from '../../engine/netdev/netdev.ts'

/**
 * A device that never runs dry: it brings copies of prepared frames in turn, and only counts what it is sent.
 * It costs one copy of the frame, as a read from a real device would.
 */
export class Generator implements Netdev {
  readonly name: string
  readonly fd = -1
  readonly offloads = 0
  readonly stats = new Float64Array(STAT_COUNT)
  mtu = 9000
  readonly state: LinkState = 'up'
  sent = 0
  readonly #pool: PacketPool
  readonly #frames: readonly Uint8Array[]
  #next = 0

  constructor(name: string, pool: PacketPool, frames: readonly Uint8Array[]) {
    this.name = name
    this.#pool = pool
    this.#frames = frames
  }

  rx(out: Uint32Array, max: number): number {
    const pool = this.#pool
    const frames = this.#frames
    for (let i = 0; i < max; i++) {
      const h = pool.alloc()
      if (h < 0) return i
      const frame = frames[this.#next]
      if (++this.#next === frames.length) this.#next = 0
      pool.u8.set(frame, pool.off[h])
      pool.len[h] = frame.length
      out[i] = h
    }
    return max
  }

  tx(): void {
    this.sent++
  }

  flush(): void {}

  refresh(): void {}

  close(): void {}
}
