/**
 * What a lookup found where, and what a new rule changes where, as hashes: a lookup leaves one footprint for
 * each subtable it visited ("no rule with these values of the first stages", "this whole value, found or not",
 * "no rule with this prefix"), and a rule that is added lists every footprint that a lookup it concerns could
 * have left. So the lookups a rule may concern are those that share a footprint with it. Which rules a lookup
 * used is a footprint too, for their removal.
 *
 * Footprints that collide cost a needless translation and are never wrong.
 */
import { mix } from '../flow/hash.ts'

/** Footprints kept of one translation; with more, it depends on every change of its tables. */
export const MAX_FOOTPRINTS = 512

/** Places within a subtable: stages are 0 to 3. */
export const AT_ROW = 4
const AT_PORTS = 8
const AT_TRIE = 64
const TRIE_SPAN = 192
/** Stands where a subtable's number would: the footprint of a rule. */
const OF_RULE = -1

export class Footprints {
  readonly hashes = new Int32Array(MAX_FOOTPRINTS)
  count = 0
  /** Some did not fit. */
  overflow = false

  clear(): void {
    this.count = 0
    this.overflow = false
  }

  add(subtable: number, place: number, hash: number): void {
    if (this.count === MAX_FOOTPRINTS) this.overflow = true
    else this.hashes[this.count++] = mix(mix(subtable, place), hash)
  }

  addPorts(subtable: number, length: number, hash: number, ports: number): void {
    this.add(subtable, AT_PORTS + length, mix(hash, ports))
  }

  addPrefix(subtable: number, field: number, length: number, hash: number): void {
    this.add(subtable, AT_TRIE + field * TRIE_SPAN + length, hash)
  }

  addRule(id: number): void {
    this.add(OF_RULE, 0, id)
  }
}
