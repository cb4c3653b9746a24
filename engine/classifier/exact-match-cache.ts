/**
 * The exact-match cache (EMC): whole flow keys to megaflows. One probe answers nearly every frame of a
 * connection that is under way.
 *
 * Two-way set associative; of the two the one not used last gives way. An entry is 32 words: hash, megaflow,
 * the megaflow's generation, then the key, so that for IPv4 everything compared lies in one cache line. An
 * entry whose megaflow is gone, or is another by now, fails the generation check and counts as a miss.
 */
import { KEY_WORDS } from '../../protocols/flow-key.ts'
import { BURST } from '../memory/packet-pool.ts'
import { type FlowRecords, TO_LINE } from './flow-records.ts'

const ENTRY_WORDS = 32
const FLOW = 1
const GENERATION = 2
const KEY = 3

export class ExactMatchCache {
  readonly #entries: Uint32Array
  /** Which way of a set was used last. */
  readonly #recent: Uint8Array
  readonly #setMask: number
  /** Of all megaflows; the megaflow table's. */
  readonly #records: FlowRecords
  readonly #ahead = new Uint32Array(BURST)

  /** @param entries a power of two */
  constructor(entries: number, records: FlowRecords) {
    this.#entries = new Uint32Array(new ArrayBuffer(TO_LINE + entries * ENTRY_WORDS * 4), TO_LINE)
    this.#recent = new Uint8Array(entries / 2)
    this.#setMask = entries / 2 - 1
    this.#records = records
    if (KEY + KEY_WORDS > ENTRY_WORDS) throw new Error('a flow key no longer fits an entry')
  }

  /**
   * Reads what `lookup` and who uses the megaflow will, for all of these hashes at once: the processor waits for one of
   * them while it asks for the others.
   */
  fetch(hashes: Int32Array, count: number): void {
    const e = this.#entries
    const recent = this.#recent
    const mask = this.#setMask
    const ahead = this.#ahead
    for (let i = 0; i < count; i++) {
      const set = hashes[i] & mask
      ahead[i] = e[(set * 2 + recent[set]) * ENTRY_WORDS + FLOW]
    }
    for (let i = 0; i < count; i++) ahead[i] = this.#records.program(ahead[i])
  }

  /** The megaflow of a key, or -1. `hash` is a signed number of 32 bits. */
  lookup(keys: Uint32Array, key: number, words: number, hash: number): number {
    const set = hash & this.#setMask
    const e = this.#entries
    let at = (set * 2 + this.#recent[set]) * ENTRY_WORDS
    if ((e[at] | 0) !== hash || !this.#matches(at, keys, key, words)) {
      at ^= ENTRY_WORDS
      if ((e[at] | 0) !== hash || !this.#matches(at, keys, key, words)) return -1
      this.#recent[set] = this.#recent[set] ^ 1
    }
    return this.#flowAt(at)
  }

  /** The megaflow of an entry, or -1 when it has gone since. */
  #flowAt(at: number): number {
    const flow = this.#entries[at + FLOW]
    return this.#records.generation(flow) === (this.#entries[at + GENERATION] | 0) ? flow : -1
  }

  insert(keys: Uint32Array, key: number, words: number, hash: number, flow: number): void {
    const set = hash & this.#setMask
    const way = this.#recent[set] ^ 1
    this.#recent[set] = way
    const at = (set * 2 + way) * ENTRY_WORDS
    const e = this.#entries
    e[at] = hash
    e[at + FLOW] = flow
    e[at + GENERATION] = this.#records.generation(flow)
    for (let i = 0; i < words; i++) e[at + KEY + i] = keys[key + i]
  }

  #matches(at: number, keys: Uint32Array, key: number, words: number): boolean {
    const e = this.#entries
    for (let i = 0; i < words; i++) if (e[at + KEY + i] !== keys[key + i]) return false
    return true
  }
}
