/**
 * A port in memory, for simulations and tests: frames are injected by hand or come from the port at the other
 * end of a link, and what is sent goes to that port, to a listener, or into a queue to be looked at.
 */
import { CELL_STRIDE, HEADROOM, type PacketPool } from '../memory/packet-pool.ts'
import { FrameQueue, NO_OFFLOAD, type OffloadRequest } from './frame-queue.ts'
import {
  type LinkState,
  type Netdev,
  RX_BYTES,
  RX_DROPPED,
  RX_ERRORS,
  RX_PACKETS,
  STAT_COUNT,
  TX_BYTES,
  TX_DROPPED,
  TX_PACKETS,
} from './netdev.ts'
import { takeOffload } from './vnet-header.ts'

export interface MemoryOptions {
  readonly name: string
  /** 1500 if not given. */
  readonly mtu?: number
  /** OFFLOAD_* bits; none if not given, so that everything is finished in software. */
  readonly offloads?: number
  /** Frames waiting in either direction at the most; 1024 if not given. */
  readonly queue?: number
  /** Given every frame that is sent: a view that is good until it returns. Without it they are queued. */
  readonly onSend?: (frame: Uint8Array) => void
}

export class MemoryNetdev implements Netdev {
  readonly name: string
  readonly fd = -1
  readonly offloads: number
  readonly stats = new Float64Array(STAT_COUNT)
  mtu: number
  /** Simulations set it as they please; nothing passes a port that is not up. */
  state: LinkState = 'up'
  readonly #pool: PacketPool
  readonly #onSend: ((frame: Uint8Array) => void) | undefined
  readonly #received: FrameQueue
  readonly #sent: FrameQueue
  #peer: MemoryNetdev | undefined

  constructor(pool: PacketPool, options: MemoryOptions) {
    const queue = options.queue ?? 1024
    this.#pool = pool
    this.name = options.name
    this.mtu = options.mtu ?? 1500
    this.offloads = options.offloads ?? 0
    this.#onSend = options.onSend
    this.#received = new FrameQueue(queue)
    this.#sent = new FrameQueue(queue)
  }

  /** Frames injected and not yet received. */
  get waiting(): number {
    return this.#received.length
  }

  /**
   * Puts a frame where the next `rx` finds it. A full queue, or a port that is not up, drops and counts it.
   * @returns whether it was taken
   */
  inject(frame: Uint8Array, offload: OffloadRequest = NO_OFFLOAD): boolean {
    if (this.state === 'up' && this.#received.push(frame, 0, frame.length, offload)) return true
    this.stats[RX_DROPPED]++
    return false
  }

  /** The oldest frame sent and not yet taken, or undefined. */
  takeSent(): Uint8Array | undefined {
    return this.#sent.shift()
  }

  /** All frames sent and not yet taken, oldest first. */
  takeAllSent(): Uint8Array[] {
    const frames: Uint8Array[] = []
    for (let frame = this.takeSent(); frame !== undefined; frame = this.takeSent()) frames.push(frame)
    return frames
  }

  /** Joins two ports, of one engine or of two, as by a cable. */
  static link(a: MemoryNetdev, b: MemoryNetdev): void {
    a.#peer = b
    b.#peer = a
  }

  rx(out: Uint32Array, max: number): number {
    if (this.state !== 'up') return 0
    const pool = this.#pool
    const queue = this.#received
    let count = 0
    for (let i = 0; i < max && queue.length > 0; i++) {
      const len = queue.firstLen()
      const h = pool.alloc()
      if (h < 0) {
        queue.drop()
        this.stats[RX_DROPPED]++
        continue
      }
      const flags = queue.firstFlags()
      const type = queue.firstGsoType()
      const size = queue.firstGsoSize()
      const start = queue.firstCsumStart()
      const offset = queue.firstCsumOffset()
      pool.len[h] = len
      if (len <= CELL_STRIDE - HEADROOM) queue.shiftInto(pool.u8, pool.off[h])
      else queue.drop()
      const plain = flags === 0 && type === 0
      if (
        len < 14 ||
        len > CELL_STRIDE - HEADROOM ||
        !(plain || takeOffload(pool, h, flags, type, size, start, offset))
      ) {
        pool.free(h)
        this.stats[RX_ERRORS]++
        continue
      }
      this.stats[RX_PACKETS]++
      this.stats[RX_BYTES] += len
      out[count++] = h
    }
    return count
  }

  tx(h: number): void {
    const pool = this.#pool
    const peer = this.#peer
    let taken = this.state === 'up'
    if (taken && peer !== undefined) {
      taken = peer.state === 'up' && peer.#received.pushPacket(pool, h)
    } else if (taken && this.#onSend !== undefined) {
      this.#onSend(pool.bytes(h))
    } else if (taken) {
      taken = this.#sent.pushPacket(pool, h)
    }
    if (!taken) {
      this.stats[TX_DROPPED]++
      return
    }
    this.stats[TX_PACKETS]++
    this.stats[TX_BYTES] += pool.len[h]
  }

  prepare(): void {}

  flush(): void {}

  refresh(): void {}

  close(): void {
    this.state = 'gone'
    if (this.#peer !== undefined) this.#peer.#peer = undefined
    this.#peer = undefined
  }
}
