import { createCipheriv } from 'node:crypto'
import type { Random } from '../../protocols/random.ts'

const KEY_LENGTH = 32
const POOL_BYTES = 1024

/**
 * Chance that can be had again: nobody can predict it who does not have the key, and what comes after an event depends
 * on nothing else, however much was drawn before.
 */
export class EventChance {
  readonly #key: Uint8Array
  readonly #pool = new Uint32Array(POOL_BYTES / 4)
  #cipher = createCipheriv('aes-256-ctr', new Uint8Array(KEY_LENGTH), new Uint8Array(16))
  #next = 0

  constructor(key: Uint8Array) {
    this.#key = key
    this.begin(0)
  }

  static newKey(random: Random): Uint8Array {
    return new Uint8Array(Uint32Array.from({ length: KEY_LENGTH / 4 }, random).buffer)
  }

  /** @param event each only once, below 2^32 */
  begin(event: number): void {
    // The first half of the counter block is the event, the second counts on.
    const block = Buffer.alloc(16)
    block.writeUInt32BE(event)
    this.#cipher = createCipheriv('aes-256-ctr', this.#key, block)
    this.#next = this.#pool.length
  }

  readonly random: Random = () => {
    if (this.#next === this.#pool.length) {
      const bytes = this.#cipher.update(new Uint8Array(POOL_BYTES))
      for (let i = 0; i < this.#pool.length; i++) this.#pool[i] = bytes.readUInt32LE(4 * i)
      this.#next = 0
    }
    return this.#pool[this.#next++]
  }
}
