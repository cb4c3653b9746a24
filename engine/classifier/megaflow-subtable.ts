import { finish, mix } from '../flow/hash.ts'

const NONE = -1

/** All megaflows of one mask. */
export class MegaflowSubtable {
  readonly mask: Uint32Array
  /** Indices of the words the mask touches, and the mask there. */
  readonly words: Uint8Array
  readonly bits: Int32Array
  /** First flow of each chain, or -1. */
  buckets = new Int32Array(64).fill(NONE)
  count = 0
  hits = 0

  constructor(mask: Uint32Array) {
    this.mask = mask.slice()
    const used = [...mask.keys()].filter((i) => mask[i] !== 0)
    this.words = Uint8Array.from(used)
    this.bits = Int32Array.from(used, (i) => mask[i])
  }

  /** Of the key, or a flow's masked key, that stands at `at`. */
  hashOf(keys: Uint32Array, at: number, seed: number): number {
    let hash = seed
    for (let i = 0; i < this.words.length; i++) hash = mix(hash, keys[at + this.words[i]] & this.bits[i])
    return finish(hash)
  }

  /** @param hash of flows @param chain the next of each in its bucket */
  grow(hash: Uint32Array, chain: Int32Array): void {
    const larger = new Int32Array(this.buckets.length * 4).fill(NONE)
    for (const first of this.buckets) {
      for (let f = first; f !== NONE; ) {
        const next = chain[f]
        const bucket = hash[f] & (larger.length - 1)
        chain[f] = larger[bucket]
        larger[bucket] = f
        f = next
      }
    }
    this.buckets = larger
  }
}
