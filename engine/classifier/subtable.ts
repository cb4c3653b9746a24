/**
 * All rules of a classifier that have the same mask: a hash table of their values. Rules of the same value
 * stand in a list, the highest priority first.
 *
 * The words of the mask are hashed stage by stage, and for every stage but the last the subtable knows which
 * hashes occur, so that a lookup can stop early. Values lie in one array, a row for each.
 */
import { FLOW_WORDS, W_TP } from '../../protocols/flow-key.ts'
import type { Match } from '../../protocols/openflow/match.ts'
import { finish, mix } from '../flow/hash.ts'
import type { Rule } from '../ofproto/rule.ts'
import { CountedHashes } from './counted-hashes.ts'
import { AT_ROW, type Footprints } from './footprints.ts'
import type { MiniMatch } from './mini-match.ts'
import {
  hashPrefix,
  lookAtPrefix,
  PREFIX_BITS,
  PREFIX_FIELDS,
  PREFIX_WORD,
  type PrefixTries,
  prefixLength,
} from './prefix-fields.ts'
import { PrefixTrie, prefixMask } from './prefix-trie.ts'
import { PriorityCounts } from './priority-counts.ts'
import { STAGE_L3, STAGE_L4, STAGES, stageOf } from './stages.ts'

const NONE = -1

export class Subtable {
  /** Tells the subtables of a classifier apart for as long as it lives. */
  readonly id: number
  /** FLOW_WORDS words. */
  readonly mask: Uint32Array
  readonly priorities = new PriorityCounts()
  /** Rules. */
  count = 0

  /** The words that the mask touches, by stage, and its bits there. */
  readonly #words: Uint8Array
  readonly #bits: Int32Array
  /** Of each stage that has words: which it is, where its words end, and the hashes that occur up to there. */
  readonly #stages: number[] = []
  readonly #ends: number[] = []
  readonly #occur: CountedHashes[] = []
  readonly #seed: number

  readonly #prefixLengths = new Uint8Array(PREFIX_FIELDS)
  /** Numbers of bits that lookups have depended on when a trie ended them, by field. */
  readonly #prefixUsed = PREFIX_BITS.map((bits) => new Uint8Array(bits + 1))
  /** The ports that occur, where ports are the last stage. */
  readonly #ports: PrefixTrie | undefined
  readonly #portsMask: number
  readonly #portsLength: number
  readonly #portsUsed = new Uint8Array(33)
  readonly #portsWord = new Uint32Array(1)

  #buckets = new Int32Array(4).fill(NONE)
  /** Columns of rows; free rows are chained through `#chain`. */
  #chain = new Int32Array(0)
  #hash = new Uint32Array(0)
  #values: Uint32Array
  readonly #heads: (Rule | undefined)[] = []
  #free = NONE

  constructor(id: number, mask: Uint32Array, seed: number) {
    this.id = id
    this.mask = mask.slice()
    this.#seed = seed
    const words: number[] = []
    for (let stage = 0; stage < STAGES; stage++) {
      const before = words.length
      for (let w = 0; w < FLOW_WORDS; w++) if (mask[w] !== 0 && stageOf(w) === stage) words.push(w)
      if (words.length === before) continue
      this.#stages.push(stage)
      this.#ends.push(words.length)
    }
    for (let s = 0; s + 1 < this.#ends.length; s++) this.#occur.push(new CountedHashes())
    this.#words = Uint8Array.from(words)
    this.#bits = Int32Array.from(words, (w) => mask[w])
    this.#values = new Uint32Array(0)
    for (let field = 0; field < PREFIX_FIELDS; field++) this.#prefixLengths[field] = prefixLength(mask, field)
    this.#portsMask = mask[W_TP]
    this.#portsLength = this.#portsMask === 0 ? 0 : 1 + Math.clz32(this.#portsMask & -this.#portsMask)
    if (this.#stages.at(-1) === STAGE_L4) this.#ports = new PrefixTrie(32)
  }

  /** The highest rule of this value (FLOW_WORDS words), or undefined. */
  head(value: Uint32Array): Rule | undefined {
    const row = this.#find(value, this.#hashOf(value))
    return row === NONE ? undefined : this.#heads[row]
  }

  /**
   * The highest rule for a packet, or undefined. What had to be looked at is added to `wc`, and a footprint
   * to `prints`.
   */
  lookup(
    flow: Uint32Array,
    wc: Uint32Array,
    tries: PrefixTries,
    prints: Footprints | undefined,
  ): Rule | undefined {
    const words = this.#words
    const bits = this.#bits
    const last = this.#ends.length - 1
    let hash = this.#seed
    let w = 0
    for (let s = 0; s <= last; s++) {
      if (this.#stages[s] === STAGE_L3 && this.#trieEnds(flow, wc, tries, prints)) {
        this.#look(wc, 0, w)
        return undefined
      }
      const before = hash
      const end = this.#ends[s]
      for (let i = w; i < end; i++) hash = mix(hash, flow[words[i]] & bits[i])
      if (s < last) {
        const h = finish(hash)
        if (!this.#occur[s].has(h)) {
          this.#look(wc, 0, end)
          prints?.add(this.id, s, h)
          return undefined
        }
      } else if (this.#ports !== undefined) {
        const row = this.#find(flow, finish(hash))
        if (row === NONE && this.#portsEnd(flow, wc, before, prints)) {
          this.#look(wc, 0, w)
          return undefined
        }
      }
      w = end
    }
    const h = finish(hash)
    this.#look(wc, 0, w)
    prints?.add(this.id, AT_ROW, h)
    const row = this.#find(flow, h)
    return row === NONE ? undefined : this.#heads[row]
  }

  /** Whether no rule at all has a prefix as this subtable's that the packet matches. */
  #trieEnds(flow: Uint32Array, wc: Uint32Array, tries: PrefixTries, prints: Footprints | undefined): boolean {
    for (let field = 0; field < PREFIX_FIELDS; field++) {
      const length = this.#prefixLengths[field]
      if (length === 0 || tries.matches(field, length, flow)) continue
      const checked = tries.checked(field)
      // The trie is shared: other rules may have made it look at more than this subtable would.
      if (checked > length) continue
      lookAtPrefix(wc, PREFIX_WORD[field], checked)
      this.#prefixUsed[field][checked] = 1
      prints?.addPrefix(this.id, field, checked, hashPrefix(flow, PREFIX_WORD[field], checked))
      return true
    }
    return false
  }

  /** Whether the ports alone tell that there is no rule, without looking at all of them. */
  #portsEnd(flow: Uint32Array, wc: Uint32Array, hash: number, prints: Footprints | undefined): boolean {
    this.#portsWord[0] = flow[W_TP] & this.#portsMask
    const checked = this.#ports!.lookup(this.#portsWord, 0)
    if (checked >= this.#portsLength) return false
    const looked = this.#portsMask & prefixMask(checked)
    wc[W_TP] |= looked
    this.#portsUsed[checked] = 1
    prints?.addPorts(this.id, checked, hash, this.#portsWord[0] & looked)
    return true
  }

  /** Adds a rule; the classifier has made sure that none of this value and priority is there. */
  insert(value: Uint32Array, rule: Rule): void {
    const hash = this.#hashOf(value)
    let row = this.#find(value, hash)
    if (row === NONE) {
      row = this.#addRow(value, hash)
      this.#heads[row] = rule
      rule.lower = undefined
    } else {
      const head = this.#heads[row]!
      if (head.priority < rule.priority) {
        rule.lower = head
        this.#heads[row] = rule
      } else {
        let above = head
        while (above.lower !== undefined && above.lower.priority > rule.priority) above = above.lower
        rule.lower = above.lower
        above.lower = rule
      }
    }
    rule.subtable = this
    rule.row = row
    this.priorities.add(rule.priority)
    this.count++
  }

  remove(rule: Rule): void {
    const row = rule.row
    const head = this.#heads[row]!
    if (head !== rule) {
      let above = head
      while (above.lower !== rule) above = above.lower!
      above.lower = rule.lower
    } else if (rule.lower !== undefined) this.#heads[row] = rule.lower
    else this.#removeRow(row)
    rule.lower = undefined
    rule.subtable = undefined
    rule.row = NONE
    this.priorities.remove(rule.priority)
    this.count--
  }

  /** Puts a rule in the place of another of the same value and priority. */
  replace(old: Rule, rule: Rule): void {
    rule.lower = old.lower
    rule.subtable = this
    rule.row = old.row
    const head = this.#heads[old.row]!
    if (head === old) this.#heads[old.row] = rule
    else {
      let above = head
      while (above.lower !== old) above = above.lower!
      above.lower = rule
    }
    old.lower = undefined
    old.subtable = undefined
    old.row = NONE
  }

  /** Lists the footprints of lookups that a rule of this row concerns. */
  footprints(row: number, prints: Footprints): void {
    const value = this.#valueOf(row)
    let hash = this.#seed
    let before = hash
    let w = 0
    for (let s = 0; s < this.#ends.length; s++) {
      before = hash
      for (; w < this.#ends[s]; w++) hash = mix(hash, value[this.#words[w]])
      if (s + 1 < this.#ends.length) prints.add(this.id, s, finish(hash))
    }
    prints.add(this.id, AT_ROW, finish(hash))
    if (this.#ports !== undefined) {
      for (let n = 0; n <= 32; n++) {
        if (this.#portsUsed[n] === 0) continue
        prints.addPorts(this.id, n, before, value[W_TP] & this.#portsMask & prefixMask(n))
      }
    }
    for (let field = 0; field < PREFIX_FIELDS; field++) {
      const used = this.#prefixUsed[field]
      for (let n = 1; n <= this.#prefixLengths[field]; n++) {
        if (used[n] === 0) continue
        prints.addPrefix(this.id, field, n, hashPrefix(value, PREFIX_WORD[field], n))
      }
    }
  }

  /** The match of a row, in as few words as it has. */
  miniMatch(row: number): MiniMatch {
    const n = this.#words.length
    return { mask: this.mask, words: this.#words, values: this.#values.slice(row * n, (row + 1) * n) }
  }

  /** The match of a row; good until the next call of this method on any subtable. */
  borrowMatch(row: number): Match {
    return { mask: this.mask, value: this.#valueOf(row) }
  }

  /** Whether the values of a row agree with `value` in the bits of `mask`, where both look. */
  agrees(row: number, value: Uint32Array, mask: Uint32Array): boolean {
    const at = row * this.#words.length
    for (let i = 0; i < this.#words.length; i++) {
      const w = this.#words[i]
      if (((this.#values[at + i] ^ value[w]) & this.#bits[i] & mask[w]) !== 0) return false
    }
    return true
  }

  /** The next row in use from `from` on, or -1. */
  nextRow(from: number): number {
    for (let row = from; row < this.#heads.length; row++) if (this.#heads[row] !== undefined) return row
    return NONE
  }

  headOf(row: number): Rule {
    return this.#heads[row]!
  }

  #look(wc: Uint32Array, from: number, to: number): void {
    for (let i = from; i < to; i++) wc[this.#words[i]] |= this.#bits[i]
  }

  #hashOf(value: Uint32Array): number {
    let hash = this.#seed
    for (let i = 0; i < this.#words.length; i++) hash = mix(hash, value[this.#words[i]] & this.#bits[i])
    return finish(hash)
  }

  #find(flow: Uint32Array, hash: number): number {
    const n = this.#words.length
    let row = this.#buckets[hash & (this.#buckets.length - 1)]
    while (row !== NONE) {
      if (this.#hash[row] === hash) {
        const at = row * n
        let i = 0
        while (i < n && ((flow[this.#words[i]] ^ this.#values[at + i]) & this.#bits[i]) === 0) i++
        if (i === n) return row
      }
      row = this.#chain[row]
    }
    return NONE
  }

  #addRow(value: Uint32Array, hash: number): number {
    if (this.#free === NONE) this.#growRows()
    const row = this.#free
    this.#free = this.#chain[row]
    const at = row * this.#words.length
    for (let i = 0; i < this.#words.length; i++) this.#values[at + i] = value[this.#words[i]] & this.#bits[i]
    this.#hash[row] = hash
    const bucket = hash & (this.#buckets.length - 1)
    this.#chain[row] = this.#buckets[bucket]
    this.#buckets[bucket] = row
    let h = this.#seed
    let w = 0
    for (let s = 0; s < this.#occur.length; s++) {
      for (; w < this.#ends[s]; w++) h = mix(h, this.#values[at + w])
      this.#occur[s].add(finish(h))
    }
    if (this.#ports !== undefined) {
      this.#portsWord[0] = value[W_TP] & this.#portsMask
      this.#ports.insert(this.#portsWord, 0, this.#portsLength)
    }
    return row
  }

  #removeRow(row: number): void {
    const at = row * this.#words.length
    let h = this.#seed
    let w = 0
    for (let s = 0; s < this.#occur.length; s++) {
      for (; w < this.#ends[s]; w++) h = mix(h, this.#values[at + w])
      this.#occur[s].remove(finish(h))
    }
    if (this.#ports !== undefined) {
      this.#portsWord[0] = this.#values[at + this.#words.length - 1]
      this.#ports.remove(this.#portsWord, 0, this.#portsLength)
    }
    const bucket = this.#hash[row] & (this.#buckets.length - 1)
    let link = this.#buckets[bucket]
    if (link === row) this.#buckets[bucket] = this.#chain[row]
    else {
      while (this.#chain[link] !== row) link = this.#chain[link]
      this.#chain[link] = this.#chain[row]
    }
    this.#heads[row] = undefined
    this.#chain[row] = this.#free
    this.#free = row
  }

  #valueOf(row: number): Uint32Array {
    scratch.fill(0)
    const at = row * this.#words.length
    for (let i = 0; i < this.#words.length; i++) scratch[this.#words[i]] = this.#values[at + i]
    return scratch
  }

  #growRows(): void {
    const old = this.#chain.length
    const size = Math.max(4, old * 2)
    const chain = new Int32Array(size)
    const hash = new Uint32Array(size)
    const values = new Uint32Array(size * this.#words.length)
    hash.set(this.#hash)
    values.set(this.#values)
    this.#hash = hash
    this.#values = values
    this.#chain = chain
    this.#buckets = new Int32Array(size).fill(NONE)
    for (let row = 0; row < old; row++) {
      const bucket = hash[row] & (size - 1)
      chain[row] = this.#buckets[bucket]
      this.#buckets[bucket] = row
    }
    for (let row = size - 1; row >= old; row--) {
      chain[row] = this.#free
      this.#free = row
      this.#heads[row] = undefined
    }
  }
}

const scratch = new Uint32Array(FLOW_WORDS)
