/**
 * What the frames of a burst are looked up by. All keys are read before the first frame goes its way: with thousands of
 * flows what the lookups read lies far from the processor, which waits once if all of it is asked for together, and else
 * for each frame.
 */
import { KEY_WORDS, W_TP } from '../../protocols/flow-key.ts'
import { extract } from '../flow/extract.ts'
import { BURST, type PacketPool } from '../memory/packet-pool.ts'
import type { FlowCache } from './flow-cache.ts'

export class BurstKeys {
  /** One behind the other, KEY_WORDS words apart. */
  readonly keys = new Uint32Array(BURST * KEY_WORDS)
  /** How many words each key has; 0 for a frame that is too short. */
  readonly words = new Uint8Array(BURST)
  readonly hashes = new Int32Array(BURST)
  /**
   * 1 where the key is the same as the one before: frames of a flow come one behind the other. What they belong to may
   * have gone meanwhile.
   */
  readonly again = new Uint8Array(BURST)

  /** Reads the keys of the first `count` packets of a burst, and lets the cache ask for what it knows of them. */
  read(pool: PacketPool, burst: Uint32Array, count: number, portNo: number, cache: FlowCache): void {
    const { keys, words, hashes, again } = this
    let repeated = 0
    for (let i = 0; i < count; i++) {
      const h = burst[i]
      const at = i * KEY_WORDS
      pool.inPort[h] = portNo
      const length = extract(pool, h, portNo, keys, at)
      words[i] = length
      again[i] = 0
      if (i > 0 && length === words[i - 1] && isRepeated(keys, at, length)) {
        again[i] = 1
        hashes[i] = hashes[i - 1]
        repeated++
      } else hashes[i] = cache.hash(keys, at, length)
    }
    if (count - repeated > 1) cache.fetch(hashes, count)
  }
}

/** Whether the key at `at` is as the one in front of it. What differs most often comes first. */
function isRepeated(keys: Uint32Array, at: number, words: number): boolean {
  const before = at - KEY_WORDS
  if (keys[at + W_TP] !== keys[before + W_TP]) return false
  for (let i = 0; i < words; i++) if (keys[at + i] !== keys[before + i]) return false
  return true
}
