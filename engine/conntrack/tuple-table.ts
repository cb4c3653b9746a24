/**
 * Finds connections by tuple: a chained hash over both tuples of each, in typed arrays. An *entry* is
 * connection * 2 + direction. A tuple counts within its scope, one number for zone and protocol.
 */
import { finish, mix } from '../flow/hash.ts'

/** Words of an entry: src, dst, tp, next entry in the bucket's chain plus one. */
const ENTRY_SHIFT = 2

export class TupleTable {
  readonly #seed: number
  #entries = new Int32Array(0)
  #scopes = new Int32Array(0)
  #buckets = new Int32Array(1)

  /** @param seed makes the hash unpredictable to senders */
  constructor(seed: number) {
    this.#seed = seed | 0
  }

  /** @returns the entry, or -1 */
  lookup(scope: number, src: number, dst: number, tp: number): number {
    const t = this.#entries
    let link = this.#buckets[this.#bucket(scope, src, dst, tp)]
    while (link !== 0) {
      const entry = link - 1
      const at = entry << ENTRY_SHIFT
      if (t[at] === (src | 0) && t[at + 1] === (dst | 0) && t[at + 2] === (tp | 0)) {
        if (this.#scopes[entry >>> 1] === scope) return entry
      }
      link = t[at + 3]
    }
    return -1
  }

  /** Enters a tuple of a connection whose scope is the same for both. */
  insert(entry: number, scope: number, src: number, dst: number, tp: number): void {
    const at = entry << ENTRY_SHIFT
    this.#entries[at] = src
    this.#entries[at + 1] = dst
    this.#entries[at + 2] = tp
    this.#scopes[entry >>> 1] = scope
    this.#chain(entry)
  }

  remove(entry: number): void {
    const t = this.#entries
    const at = entry << ENTRY_SHIFT
    const bucket = this.#bucket(this.#scopes[entry >>> 1], t[at], t[at + 1], t[at + 2])
    const next = t[at + 3]
    let link = this.#buckets[bucket]
    if (link === entry + 1) {
      this.#buckets[bucket] = next
      return
    }
    while (link !== 0) {
      const field = ((link - 1) << ENTRY_SHIFT) + 3
      link = t[field]
      if (link === entry + 1) {
        t[field] = next
        return
      }
    }
  }

  src(entry: number): number {
    return this.#entries[entry << ENTRY_SHIFT] >>> 0
  }

  dst(entry: number): number {
    return this.#entries[(entry << ENTRY_SHIFT) + 1] >>> 0
  }

  tp(entry: number): number {
    return this.#entries[(entry << ENTRY_SHIFT) + 2] >>> 0
  }

  /** Makes room for that many connections; `exists` tells which of them are entered now. */
  reserve(connections: number, exists: (connection: number) => boolean): void {
    const known = this.#scopes.length
    const entries = new Int32Array(connections << (ENTRY_SHIFT + 1))
    entries.set(this.#entries)
    this.#entries = entries
    const scopes = new Int32Array(connections)
    scopes.set(this.#scopes)
    this.#scopes = scopes
    let buckets = this.#buckets.length
    while (buckets < connections * 2) buckets *= 2
    this.#buckets = new Int32Array(buckets)
    for (let c = 0; c < known; c++) {
      if (!exists(c)) continue
      this.#chain(c << 1)
      this.#chain((c << 1) | 1)
    }
  }

  #chain(entry: number): void {
    const t = this.#entries
    const at = entry << ENTRY_SHIFT
    const bucket = this.#bucket(this.#scopes[entry >>> 1], t[at], t[at + 1], t[at + 2])
    t[at + 3] = this.#buckets[bucket]
    this.#buckets[bucket] = entry + 1
  }

  #bucket(scope: number, src: number, dst: number, tp: number): number {
    return finish(mix(mix(mix(this.#seed ^ scope, src), dst), tp)) & (this.#buckets.length - 1)
  }
}
