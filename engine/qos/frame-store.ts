/**
 * The frames that all queues of a datapath hold. A cell waits in one queue at the most, so the queues are linked
 * lists through one array indexed by cell, and need no memory of their own.
 *
 * All together hold a bounded part of the packet pool, or slow queues would starve the switch of cells. It is
 * shared by dynamic thresholds (Choudhury and Hahne, 1998): a queue may hold as many frames as there is room
 * left for. One alone gets half of it, and however many there are, the next one finds some.
 */
import type { PacketPool } from '../memory/packet-pool.ts'

export class FrameStore {
  readonly pool: PacketPool
  readonly limit: number
  /** The frame behind one in its queue, or -1. */
  readonly next: Int32Array
  /** Bytes of a waiting frame on the wire. */
  readonly wire: Uint32Array
  count = 0

  /** @param limit frames waiting at the most */
  constructor(pool: PacketPool, limit: number) {
    this.pool = pool
    this.limit = limit
    this.next = new Int32Array(pool.cells)
    this.wire = new Uint32Array(pool.cells)
  }

  /** Whether a queue that holds so many frames may have one more. */
  admits(held: number): boolean {
    return held < this.limit - this.count
  }
}
