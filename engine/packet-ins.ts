/** Packets on their way to controllers: whole, one of the wire each, handed to who carries them to the control side. */
import type { PacketInTemplate } from './dpif-pipeline.ts'
import { DROP_CONTROLLER_GONE, DROP_CONTROLLER_QUEUE, DROP_NO_CELLS } from './drops.ts'
import { GSO_NONE, type PacketPool } from './memory/packet-pool.ts'
import { finishChecksum } from './netdev/checksum-offload.ts'
import { putSegment, segmentCount } from './netdev/segmentation.ts'
import type { Topology } from './ofproto/topology.ts'

/**
 * Takes the `length` bytes at `at`, which are its only until it returns; false when there is no room for them.
 * @param bridge its index
 * @param id of the template, as the dataplane numbers them
 */
export type PacketInSink = (
  bridge: number,
  id: number,
  template: PacketInTemplate,
  bytes: Uint8Array,
  at: number,
  length: number,
) => boolean

export interface PacketInHost {
  readonly pool: PacketPool
  readonly topology: Topology
  drop(reason: number, h: number): void
}

export class PacketIns {
  readonly #host: PacketInHost
  readonly #sink: PacketInSink

  constructor(host: PacketInHost, sink: PacketInSink) {
    this.#host = host
    this.#sink = sink
  }

  /**
   * The packet stays the caller's; its checksum is complete afterwards.
   * @param id of the template
   */
  send(id: number, h: number): void {
    const { pool, topology } = this.#host
    const template = topology.packetIns.get(id)
    const bridge = template === undefined ? undefined : topology.bridges.get(template.bridge)
    if (template === undefined || bridge === undefined) {
      this.#host.drop(DROP_CONTROLLER_GONE, h)
      return
    }
    if (pool.gsoType[h] === GSO_NONE) {
      finishChecksum(pool, h)
      this.#put(bridge.index, id, template, h)
      return
    }
    const c = pool.alloc()
    if (c < 0) {
      this.#host.drop(DROP_NO_CELLS, h)
      return
    }
    for (let i = 0, count = segmentCount(pool, h); i < count; i++) {
      putSegment(pool, h, i, c)
      finishChecksum(pool, c)
      this.#put(bridge.index, id, template, c)
    }
    pool.free(c)
  }

  /** Whole, whatever max_len says: what is not kept here must be there (OpenFlow 1.3.1 §7.4.1), as in Open vSwitch. */
  #put(bridge: number, id: number, template: PacketInTemplate, h: number): void {
    const { pool } = this.#host
    if (!this.#sink(bridge, id, template, pool.u8, pool.off[h], pool.len[h])) {
      this.#host.drop(DROP_CONTROLLER_QUEUE, h)
    }
  }
}
