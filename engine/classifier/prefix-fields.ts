/**
 * Fields whose prefixes have a trie in every classifier, and the tries themselves.
 */
import { W_IPV6_DST, W_IPV6_SRC, W_NW_DST, W_NW_SRC } from '../../protocols/flow-key.ts'
import { mix } from '../flow/hash.ts'
import { PrefixTrie, prefixMask } from './prefix-trie.ts'

/** First word and length in bits of each. */
export const PREFIX_WORD = [W_NW_SRC, W_NW_DST, W_IPV6_SRC, W_IPV6_DST] as const
export const PREFIX_BITS = [32, 32, 128, 128] as const
export const PREFIX_FIELDS = PREFIX_WORD.length

/** Length of the prefix that a mask of FLOW_WORDS words leaves of a field; 0 where it is no prefix, or none. */
export function prefixLength(mask: Uint32Array, field: number): number {
  const first = PREFIX_WORD[field]
  const words = PREFIX_BITS[field] >>> 5
  let length = 0
  let ended = false
  for (let i = 0; i < words; i++) {
    const word = mask[first + i]
    if (ended && word !== 0) return 0
    const ones = Math.clz32(~word)
    if (ones < 32) {
      if (word << ones !== 0 && ones > 0) return 0
      if (ones === 0 && word !== 0) return 0
      ended = true
    }
    length += ones
  }
  return length
}

/** The tries of one classifier, and what they answered about the packet being looked up. */
export class PrefixTries {
  readonly tries = PREFIX_BITS.map((bits) => new PrefixTrie(bits))
  /** Leading bits each answer depends on; -1 for not asked yet. */
  readonly #checked = new Int16Array(PREFIX_FIELDS).fill(-1)

  /** Begins with another packet. */
  reset(): void {
    for (let i = 0; i < PREFIX_FIELDS; i++) this.#checked[i] = -1
  }

  /** Whether any rule has a prefix of this length that the packet's field matches. */
  matches(field: number, length: number, flow: Uint32Array): boolean {
    if (this.#checked[field] < 0) {
      this.#checked[field] = this.tries[field].lookup(flow, PREFIX_WORD[field])
    }
    return this.tries[field].has(length)
  }

  /** Leading bits of the field that the answer of `matches` depends on. */
  checked(field: number): number {
    return this.#checked[field]
  }
}

/** Adds the first bits of a field, whose first word is `word`, to those looked at. */
export function lookAtPrefix(wc: Uint32Array, word: number, length: number): void {
  for (; length > 0; length -= 32) wc[word++] |= prefixMask(Math.min(32, length))
}

/** Hash of the first bits of a field. */
export function hashPrefix(words: Uint32Array, word: number, length: number): number {
  let hash = length
  for (; length > 0; length -= 32) hash = mix(hash, words[word++] & prefixMask(Math.min(32, length)))
  return hash
}
