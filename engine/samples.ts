/**
 * Samples of packets on their way to the control side: the headers of each, copied into a batch that is handed
 * over when it is full or has waited long enough. A frame that is not sampled costs a step of the generator
 * and a comparison. Batches on their way are few: while the control side is behind, samples are dropped and
 * counted.
 */
import { KEY_WORDS, W_L4 } from '../protocols/flow-key.ts'
import type { Random } from '../protocols/random.ts'
import type { Duration, Instant } from '../protocols/time.ts'
import type { DpifEvent } from './dpif.ts'
import {
  SAMPLE_BRIDGE_NO,
  SAMPLE_IN_PORT,
  SAMPLE_KEY,
  SAMPLE_LENGTH,
  SAMPLE_PORT,
  SAMPLE_WORDS,
} from './dpif-sampling.ts'
import { DROP_SAMPLE_QUEUE } from './drops.ts'
import { extract } from './flow/extract.ts'
import { GSO_NONE, type PacketPool } from './memory/packet-pool.ts'
import { segmentCount, segmentHeaderLen } from './netdev/segmentation.ts'
import type { Topology } from './ofproto/topology.ts'

/** Samples in a batch. */
const BATCH = 256
/** Batches that the control side has not dealt with, at the most. */
const MAX_BATCHES = 16
/** How long the first sample of a batch waits for others. */
const WAIT: Duration = 10

/** FIN and PSH, which of a GSO frame's segments the last one has. */
const LAST_FLAGS = 0x09 << 16
const ALWAYS = -1

export interface SamplesHost {
  readonly pool: PacketPool
  readonly random: Random
  readonly topology: Topology
  readonly now: Instant
  emit(event: DpifEvent): void
  drop(reason: number, h: number): void
}

export class Samples {
  readonly #host: SamplesHost
  readonly #batch = new Uint32Array(BATCH * SAMPLE_WORDS)
  readonly #key = new Uint32Array(KEY_WORDS)
  #count = 0
  #since: Instant = 0
  #underway = 0
  /** Of a xorshift generator (Marsaglia 2003); never 0. */
  #state: number

  constructor(host: SamplesHost) {
    this.#host = host
    this.#state = host.random() | 1
  }

  /** @param pc of an OP_SAMPLE in `code` */
  take(code: Int32Array, pc: number, h: number): void {
    const { pool } = this.#host
    const chance = code[pc + 1]
    if (pool.gsoType[h] === GSO_NONE) {
      if (this.#wins(chance) && this.#extract(h)) this.#record(code, pc, h, pool.len[h], true)
      return
    }
    // Each segment is a packet, with a chance of its own.
    const header = segmentHeaderLen(pool, h)
    const last = segmentCount(pool, h) - 1
    let extracted = false
    for (let i = 0; i <= last; i++) {
      if (!this.#wins(chance)) continue
      if (!extracted && !this.#extract(h)) return
      extracted = true
      const payload = Math.min(pool.gsoSize[h], pool.len[h] - header - i * pool.gsoSize[h])
      this.#record(code, pc, h, header + payload, i === last)
    }
  }

  /** The control side has dealt with a batch. */
  taken(): void {
    if (this.#underway > 0) this.#underway--
  }

  /** Hands over what has been collected. */
  flush(): void {
    if (this.#count === 0 || this.#underway === MAX_BATCHES) return
    const samples = this.#batch.slice(0, this.#count * SAMPLE_WORDS)
    this.#count = 0
    this.#underway++
    const bridges = new Map<number, string>()
    const ports = new Map<number, string>()
    const { topology } = this.#host
    for (let at = 0; at < samples.length; at += SAMPLE_WORDS) {
      const bridge = samples[at + SAMPLE_BRIDGE_NO]
      const name = topology.bridgesByIndex[bridge]?.spec.name
      if (name !== undefined) bridges.set(bridge, name)
      for (const word of [SAMPLE_IN_PORT, SAMPLE_PORT]) {
        const port = topology.port(samples[at + word])
        if (port !== undefined) ports.set(port.portNo, port.spec.name)
      }
    }
    this.#host.emit({ type: 'samples', samples, bridges, ports })
  }

  #wins(chance: number): boolean {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return chance === ALWAYS || x >>> 0 < chance >>> 0
  }

  /** Reads the headers as rewritten so far; those that run the program want theirs left as they were. */
  #extract(h: number): boolean {
    const { pool } = this.#host
    const l3 = pool.l3[h]
    const l4 = pool.l4[h]
    const key = this.#key
    key.fill(0)
    const words = extract(pool, h, pool.inPort[h], key, 0)
    pool.l3[h] = l3
    pool.l4[h] = l4
    return words > 0
  }

  #record(code: Int32Array, pc: number, h: number, length: number, last: boolean): void {
    const { pool, now } = this.#host
    if (this.#count === BATCH || (this.#count > 0 && now >= this.#since + WAIT)) this.flush()
    if (this.#count === BATCH) {
      this.#host.drop(DROP_SAMPLE_QUEUE, h)
      return
    }
    if (this.#count === 0) this.#since = now
    const batch = this.#batch
    const at = this.#count++ * SAMPLE_WORDS
    for (let i = 0; i < SAMPLE_LENGTH; i++) batch[at + i] = code[pc + 1 + i]
    batch[at + SAMPLE_LENGTH] = length
    batch[at + SAMPLE_IN_PORT] = pool.inPort[h]
    for (let i = 0; i < KEY_WORDS; i++) batch[at + SAMPLE_KEY + i] = this.#key[i]
    if (!last) batch[at + SAMPLE_KEY + W_L4] &= ~LAST_FLAGS
  }
}
