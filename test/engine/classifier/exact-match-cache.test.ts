import { expect, test } from 'vitest'
import { ExactMatchCache } from '../../../engine/classifier/exact-match-cache.ts'
import { FlowRecords } from '../../../engine/classifier/flow-records.ts'
import { KEY_ARP, KEY_BASE, KEY_WORDS, W_TYPE } from '../../../protocols/flow-key.ts'
import { seededRandom } from '../../../protocols/random.ts'

const SETS = 4
const ENTRIES = SETS * 2

function keyOf(n: number): { key: Uint32Array; words: number } {
  const key = new Uint32Array(KEY_WORDS)
  const words = [KEY_BASE, KEY_ARP, KEY_WORDS][n % 3]
  key[W_TYPE] = [0x0800_0000, 0x0806_0000, 0x86dd_0000][n % 3]
  key[2] = n >> 3
  key[words - 1] = (n * 0x9e3779b1) >>> 0
  return { key, words }
}

test('a cached key is answered until its megaflow goes; the way used last survives', () => {
  const random = seededRandom(3)
  const records = new FlowRecords(32)
  const cache = new ExactMatchCache(ENTRIES, records)
  // The twin: for each set, the entries in the order of their last use.
  const sets = Array.from({ length: SETS }, () => [] as { n: number; flow: number; generation: number }[])
  const keys = new Uint32Array(2 * KEY_WORDS)
  let hits = 0
  for (let i = 0; i < 50_000; i++) {
    const n = random() % 24
    const { key, words } = keyOf(n)
    // Hashes collide on purpose: keys must be told apart by themselves.
    const hash = n % 12
    const set = sets[hash % SETS]
    const at = set.findIndex((e) => e.n === n)
    const entry = set[at]
    const valid = entry !== undefined && records.generation(entry.flow) === entry.generation
    keys.set(key, KEY_WORDS)
    // Asking ahead, for entries that are and that are not there, changes nothing.
    cache.fetch(Int32Array.of(hash, random() % 12), 1 + (random() % 2))
    const found = cache.lookup(keys, KEY_WORDS, words, hash)
    if (found !== (valid ? entry.flow : -1)) throw new Error(`${n} is found as ${found}`)
    if (at > 0) set.unshift(...set.splice(at, 1))
    if (found >= 0) hits++
    else {
      const flow = random() % 32
      cache.insert(keys, KEY_WORDS, words, hash, flow)
      set.unshift({ n, flow, generation: records.generation(flow) })
      set.length = Math.min(set.length, 2)
    }
    if (random() % 8 === 0) records.end(random() % 32)
  }
  expect(hits).toBeGreaterThan(5000)
})
