import { KEY_WORDS, W_L4 } from '../../protocols/flow-key.ts'
import { hashKey } from '../flow/hash.ts'
import { ExactMatchCache } from './exact-match-cache.ts'
import type { MegaflowTable } from './megaflow-table.ts'

/** SYN, FIN and RST, where they stand in the key: what opens or closes a connection comes but once. */
const ONCE = 0x0007_0000

/** Both caches as one: the megaflow of a whole key, by what it cost last time if that is still known. */
export class FlowCache {
  /** Keys that were found in the exact-match cache, and in the megaflow table only. */
  emcHits = 0
  megaflowHits = 0
  readonly #emc: ExactMatchCache
  readonly #megaflows: MegaflowTable
  readonly #seed: number

  /** @param entries of the exact-match cache, a power of two */
  constructor(entries: number, megaflows: MegaflowTable, seed: number) {
    this.#emc = new ExactMatchCache(entries, megaflows.records)
    this.#megaflows = megaflows
    this.#seed = seed
  }

  /** Hash of the key that stands at `at`. */
  hash(keys: Uint32Array, at: number, words: number): number {
    return hashKey(keys, at, words, this.#seed)
  }

  /** Keys with the first `count` of these hashes are about to be looked up. */
  fetch(hashes: Int32Array, count: number): void {
    this.#emc.fetch(hashes, count)
  }

  /** The megaflow of the key that stands at `at`, or -1; whatever stands behind its `words` words has been made zero then. */
  lookup(keys: Uint32Array, at: number, words: number, hash: number): number {
    const known = this.#emc.lookup(keys, at, words, hash)
    if (known < 0) return this.#lookFurther(keys, at, words, hash)
    this.emcHits++
    return known
  }

  #lookFurther(keys: Uint32Array, at: number, words: number, hash: number): number {
    for (let i = words; i < KEY_WORDS; i++) keys[at + i] = 0
    const f = this.#megaflows.lookup(keys, at)
    if (f < 0) return -1
    this.megaflowHits++
    this.remember(keys, at, words, hash, f)
    return f
  }

  /**
   * What a key that was looked up in vain has turned out to belong to; not remembered of a SYN, FIN or RST, whose key
   * comes but once and would only take the room of one that comes again.
   */
  remember(keys: Uint32Array, at: number, words: number, hash: number, f: number): void {
    if ((keys[at + W_L4] & ONCE) === 0) this.#emc.insert(keys, at, words, hash, f)
  }
}
