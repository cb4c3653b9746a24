/**
 * Hashes over runs of words. Seeded, so that a sender cannot know which of its flows share a bucket.
 */

/**
 * Hash of `words` words of a key, at least KEY_BASE; two independent lanes keep the multiplier busy. It is a signed
 * number: one that does not fit 32 bits with a sign would be allocated whenever it is handed on.
 */
export function hashKey(key: Uint32Array, at: number, words: number, seed: number): number {
  let a = seed
  let b = ~seed
  for (let i = at, end = at + words - 1; i < end; i += 2) {
    a = Math.imul(a ^ key[i], 0x85ebca6b)
    a ^= a >>> 15
    b = Math.imul(b ^ key[i + 1], 0xc2b2ae35)
    b ^= b >>> 13
  }
  if ((words & 1) !== 0) a = Math.imul(a ^ key[at + words - 1], 0x27d4eb2f)
  let h = a ^ Math.imul(b, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  return h ^ (h >>> 13)
}

/** One more word mixed into a running hash. */
export function mix(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x85ebca6b)
  return h ^ (h >>> 15)
}

/** Spreads a running hash over all its bits. */
export function finish(hash: number): number {
  let h = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35)
  h ^= h >>> 13
  return h >>> 0
}
