import { KEY_WORDS } from '../../protocols/flow-key.ts'
import { hashKey } from '../flow/hash.ts'
import { ExactMatchCache } from './exact-match-cache.ts'
import type { MegaflowTable } from './megaflow-table.ts'

/** Both caches as one: the megaflow of a whole key, by what it cost last time if that is still known. */
export class FlowCache {
  /** Keys that were found in the exact-match cache, and in the megaflow table only. */
  emcHits = 0
  megaflowHits = 0
  readonly #emc: ExactMatchCache
  readonly #megaflows: MegaflowTable
  readonly #seed: number
  /** Hash of the key that was looked up last. */
  #hash = 0

  /** @param entries of the exact-match cache, a power of two */
  constructor(entries: number, megaflows: MegaflowTable, seed: number) {
    this.#emc = new ExactMatchCache(entries, megaflows.records)
    this.#megaflows = megaflows
    this.#seed = seed
  }

  /** The megaflow of a key, or -1; whatever stands behind its first `words` words has been made zero then. */
  lookup(key: Uint32Array, words: number): number {
    const f = this.#emc.again(key, words)
    if (f < 0) return this.#lookFurther(key, words)
    this.emcHits++
    return f
  }

  #lookFurther(key: Uint32Array, words: number): number {
    const hash = hashKey(key, 0, words, this.#seed)
    this.#hash = hash
    const known = this.#emc.lookup(key, words, hash)
    if (known >= 0) {
      this.emcHits++
      return known
    }
    for (let i = words; i < KEY_WORDS; i++) key[i] = 0
    const f = this.#megaflows.lookup(key)
    if (f < 0) return -1
    this.megaflowHits++
    this.#emc.insert(key, words, hash, f)
    return f
  }

  /** What the key that was looked up last, in vain, has turned out to belong to. */
  remember(key: Uint32Array, words: number, f: number): void {
    this.#emc.insert(key, words, this.#hash, f)
  }
}
