import { expect, test } from 'vitest'
import { hashKey } from '../../../engine/flow/hash.ts'
import { KEY_ARP, KEY_BASE, KEY_WORDS } from '../../../protocols/flow-key.ts'
import { seededRandom } from '../../../protocols/random.ts'

test.each([KEY_BASE, KEY_ARP, KEY_WORDS])('every bit of a key of %i words reaches the hash', (words) => {
  const random = seededRandom(2)
  const key = Uint32Array.from({ length: words + 1 }, () => random())
  const hash = hashKey(key, 1, words, 5)
  expect(hashKey(key, 1, words, 6)).not.toBe(hash)
  for (let bit = 0; bit < words * 32; bit++) {
    const other = key.slice()
    other[1 + (bit >> 5)] ^= 1 << (bit & 31)
    expect(hashKey(other, 1, words, 5)).not.toBe(hash)
  }
  const around = key.slice()
  around[0] ^= 1
  expect(hashKey(around, 1, words, 5)).toBe(hash)
})

test('flows that differ in their ports only are spread over all sets of a cache', () => {
  const key = new Uint32Array(KEY_BASE)
  const sets = new Uint32Array(1024)
  for (let i = 0; i < 64 * 1024; i++) {
    key[10] = i
    sets[hashKey(key, 0, KEY_BASE, 1) & 1023]++
  }
  // 64 a set on average; a fair spread lies well within these bounds.
  expect(Math.min(...sets)).toBeGreaterThan(20)
  expect(Math.max(...sets)).toBeLessThan(130)
})
