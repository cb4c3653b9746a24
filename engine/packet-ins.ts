/**
 * Packets on their way to controllers: copied out of their cells and handed to the control side, so many in a
 * span of time and no more, so that a flood of them never fills its queue.
 */
import type { Duration, Instant } from '../protocols/time.ts'
import type { DpifEvent } from './dpif.ts'
import { DROP_CONTROLLER_QUEUE } from './drops.ts'
import { GSO_NONE, type PacketPool } from './memory/packet-pool.ts'
import { finishChecksum } from './netdev/checksum-offload.ts'
import { putSegment, segmentCount } from './netdev/segmentation.ts'
import type { PacketInTemplate } from './ofproto/packet-in-template.ts'

/** Packets in a span at the most: 400,000 a second. */
const BUDGET = 4000
const SPAN: Duration = 10

export interface PacketInHost {
  readonly pool: PacketPool
  readonly now: Instant
  emit(event: DpifEvent): void
  drop(reason: number, h: number): void
}

export class PacketIns {
  readonly #host: PacketInHost
  #left = BUDGET
  #since: Instant = Number.NEGATIVE_INFINITY

  constructor(host: PacketInHost) {
    this.#host = host
  }

  /** The packet stays the caller's; its checksum is complete afterwards. */
  send(template: PacketInTemplate | undefined, h: number): void {
    const { pool } = this.#host
    if (template === undefined) {
      this.#host.drop(DROP_CONTROLLER_QUEUE, h)
      return
    }
    if (pool.gsoType[h] === GSO_NONE) {
      finishChecksum(pool, h)
      this.#emit(template, h)
      return
    }
    const c = pool.alloc()
    if (c < 0) {
      this.#host.drop(DROP_CONTROLLER_QUEUE, h)
      return
    }
    for (let i = 0, count = segmentCount(pool, h); i < count; i++) {
      putSegment(pool, h, i, c)
      finishChecksum(pool, c)
      this.#emit(template, c)
    }
    pool.free(c)
  }

  #emit(template: PacketInTemplate, h: number): void {
    const { pool, now } = this.#host
    if (now >= this.#since + SPAN) {
      this.#since = now
      this.#left = BUDGET
    }
    if (this.#left === 0) {
      this.#host.drop(DROP_CONTROLLER_QUEUE, h)
      return
    }
    this.#left--
    // Whole, whatever max_len says: what is not kept here must be there (OpenFlow 1.3.1 §7.4.1), as in Open vSwitch.
    const packet = pool.bytes(h).slice(0, pool.len[h])
    this.#host.emit({ type: 'packet-in', packet, totalLength: packet.length, ...template })
  }
}
