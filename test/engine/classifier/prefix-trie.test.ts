import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PrefixTrie } from '../../../engine/classifier/prefix-trie.ts'

/** Values whose first bits often agree. */
const word = fc.oneof(
  fc.constantFrom(0, 1, 0x8000_0000, 0xffff_ffff, 0xffff_0000, 0x0a00_0001, 0x0a00_0000, 0x0a80_0000),
  fc.integer({ min: 0, max: 0xffff_ffff }),
)

const bitsOf = (words: readonly number[]) => words.map((w) => w.toString(2).padStart(32, '0')).join('')
const fromBits = (bits: string) => Uint32Array.from(bits.match(/.{32}/g)!, (b) => Number.parseInt(b, 2))

test.each([32, 128])('a trie of %i bits answers as a list of prefixes would', (bits) => {
  const value = fc.array(word, { minLength: bits / 32, maxLength: bits / 32 })
  const step = fc.record({
    value,
    length: fc.integer({ min: 1, max: bits }),
    remove: fc.boolean(),
    asked: value,
    other: value,
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const trie = new PrefixTrie(bits)
      const list: string[] = []
      const lengthsOf = (asked: string) =>
        new Set(list.filter((p) => asked.startsWith(p)).map((p) => p.length))
      for (const s of steps) {
        if (s.remove && list.length > 0) {
          const [prefix] = list.splice(s.length % list.length, 1)
          trie.remove(fromBits(prefix.padEnd(bits, '1')), 0, prefix.length)
        } else {
          list.push(bitsOf(s.value).slice(0, s.length))
          trie.insert(Uint32Array.from(s.value), 0, s.length)
        }
        const known = list[s.length % Math.max(1, list.length)] ?? ''
        for (const asked of [bitsOf(s.asked), known + bitsOf(s.asked).slice(known.length)]) {
          const looked = trie.lookup(fromBits(asked), 0)
          const lengths = lengthsOf(asked)
          const has = Array.from({ length: bits }, (_, i) => i + 1).filter((n) => trie.has(n))
          expect(new Set(has)).toEqual(lengths)
          // Whatever stands behind the bits that were looked at makes no difference.
          const alike = asked.slice(0, looked) + bitsOf(s.other).slice(looked)
          expect(lengthsOf(alike)).toEqual(lengths)
        }
      }
    }),
    { numRuns: 100 },
  )
})

test('no more bits are looked at than tell the value from every prefix', () => {
  const trie = new PrefixTrie(32)
  expect(trie.lookup(Uint32Array.of(0x0a000001), 0)).toBe(0)
  trie.insert(Uint32Array.of(0x0a010000), 0, 16)
  expect(trie.lookup(Uint32Array.of(0xac100009), 0)).toBe(1)
  expect(trie.lookup(Uint32Array.of(0x0a010009), 0)).toBe(16)
  trie.insert(Uint32Array.of(0x0a010203), 0, 32)
  expect(trie.lookup(Uint32Array.of(0x0a018000), 0)).toBe(17)
  expect(trie.lookup(Uint32Array.of(0x0a010203), 0)).toBe(32)
  trie.remove(Uint32Array.of(0x0a010000), 0, 16)
  trie.remove(Uint32Array.of(0x0a010203), 0, 32)
  expect(trie.lookup(Uint32Array.of(0x0a010203), 0)).toBe(0)
})
