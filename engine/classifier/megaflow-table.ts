/**
 * The megaflow cache: masked keys to programs, by tuple space search. Megaflows are disjoint where they
 * overlap in effect (each holds exactly the bits its translation looked at), so the first hit is the answer
 * and there are no priorities.
 *
 * Bounded: at the limit, one of the longest unused among a few neighbours makes room. Unused flows go after
 * `maxIdle`. Each flow is listed under the tags of what its translation consulted (see ofproto/tags.ts);
 * `touch` drops all that are listed under one.
 */

import { KEY_WORDS, W_DL_MIX, W_DL_SRC } from '../../protocols/flow-key.ts'
import type { Match } from '../../protocols/openflow/match.ts'
import type { Instant } from '../../protocols/time.ts'
import type { PacketCounter } from '../ofproto/packet-counter.ts'
import type { TagListener } from '../ofproto/tags.ts'
import { CounterLists } from './counter-lists.ts'
import { FlowRecords } from './flow-records.ts'
import { MegaflowSubtable } from './megaflow-subtable.ts'
import { ProgramStore } from './program-store.ts'
import { TagLists } from './tag-lists.ts'

/** Told, when a flow goes, until when it carried frames of a station: the flow's source address. */
export interface StationListener {
  /** @param station VLAN of a bridge, as `stationOf` gives it */
  stationHeard(station: number, mac: number, at: Instant): void
}

const NONE = -1
const NO_COUNTERS: readonly PacketCounter[] = []
/** Candidates looked at when a flow must make room. */
const EVICTION_SAMPLE = 8
/** Flows looked at per call of `expire`. */
const SWEEP = 16_384
/** Flows credited in one go while frames wait. */
const CREDITS = 4096
/** Subtables are put in the order of their hits every so many lookups. */
const SORT_INTERVAL = 1 << 14
/** Up to here masks wait for the next flow of theirs: where connections come and go one by one, it is not far. */
const MASKS_KEPT = 16

export class MegaflowTable implements TagListener {
  readonly limit: number
  readonly #listener: StationListener
  readonly programs: ProgramStore
  readonly #seed: number
  #subtables: MegaflowSubtable[] = []
  #lookups = 0
  /** Flows kept at the most; of those there may be, `limit`. */
  #wanted: number
  /** Whether new flows hold all headers of the packet that made them, not just what was looked at. */
  exact = false
  subtableLookups = 0
  count = 0

  readonly #keys: Uint32Array
  readonly #subtable: (MegaflowSubtable | undefined)[] = []
  readonly #hash: Uint32Array
  readonly #chain: Int32Array
  readonly #programLength: Uint16Array
  readonly records: FlowRecords
  /** What of the records' packets and bytes has been credited to the flow's counters. */
  readonly #creditedPackets: Float64Array
  readonly #creditedBytes: Float64Array
  readonly #counters: CounterLists
  /** Words of the key, by bit, that rules of some table saw changed. */
  readonly #rewritten: Uint32Array

  readonly #tags: TagLists
  /** Flows under a tag. */
  readonly #found: Int32Array

  /** Of the flows that have been used. */
  #freeHead = NONE
  #sweepAt = 0
  #evictAt = 0
  /** No flow has ever been used from this one on; they come when none of the others is free. */
  #top = 0
  #creditAt = 0

  constructor(limit: number, seed: number, listener: StationListener) {
    this.limit = limit
    this.#wanted = limit
    this.#listener = listener
    this.#seed = seed
    this.programs = new ProgramStore(limit * 64 + (1 << 16))
    this.#keys = new Uint32Array(limit * KEY_WORDS)
    this.#hash = new Uint32Array(limit)
    this.#chain = new Int32Array(limit)
    this.#programLength = new Uint16Array(limit)
    this.records = new FlowRecords(limit)
    this.#creditedPackets = new Float64Array(limit)
    this.#creditedBytes = new Float64Array(limit)
    this.#counters = new CounterLists(limit)
    this.#rewritten = new Uint32Array(limit)
    this.#tags = new TagLists(limit)
    this.#found = new Int32Array(limit)
  }

  /** Flows kept at the most. */
  get wanted(): number {
    return this.#wanted
  }

  set wanted(flows: number) {
    this.#wanted = Math.min(flows, this.limit)
    while (this.count > this.#wanted) this.#evict()
  }

  /** The array programs are read from. */
  get code(): Int32Array {
    return this.programs.code
  }

  get masks(): number {
    return this.#subtables.filter((s) => s.count > 0).length
  }

  /** The flow a key belongs to, or -1. Words beyond the key's length must be zero. */
  lookup(keys: Uint32Array, at = 0): number {
    if (++this.#lookups % SORT_INTERVAL === 0) this.#sortSubtables()
    const subtables = this.#subtables
    let tried = 0
    for (let s = 0; s < subtables.length; s++) {
      const subtable = subtables[s]
      if (subtable.count === 0) continue
      tried++
      const hash = subtable.hashOf(keys, at, this.#seed)
      let f = subtable.buckets[hash & (subtable.buckets.length - 1)]
      while (f !== NONE) {
        if (this.#hash[f] === hash && this.#matches(f, subtable, keys, at)) {
          subtable.hits++
          this.subtableLookups += tried
          return f
        }
        f = this.#chain[f]
      }
    }
    return NONE
  }

  /**
   * Adds a flow, making room if need be.
   * @param tags what it depends on, the first `tagCount`
   * @param stations beside each tag, the station whose frames the flow carries, or 0
   * @param rewritten words of the key, by bit, that rules saw changed
   * @param counters what counts its packets, the first `counterCount`
   * @returns the flow, or -1 when its program finds no room or no flow is wanted
   */
  insert(
    key: Uint32Array,
    mask: Uint32Array,
    code: Int32Array,
    length: number,
    tags: Uint32Array,
    stations: Uint32Array,
    tagCount: number,
    now: Instant,
    rewritten = -1,
    counters: readonly PacketCounter[] = NO_COUNTERS,
    counterCount = 0,
  ): number {
    if (this.#wanted === 0) return NONE
    if (this.count >= this.#wanted) this.#evict()
    let address = this.programs.put(code, length)
    if (address < 0) {
      // The room is cut into blocks of sizes that other traffic needed: start over, unless one is in use.
      if (this.programs.held) return NONE
      this.clear()
      this.programs.reset()
      address = this.programs.put(code, length)
      if (address < 0) return NONE
    }
    let f = this.#freeHead
    if (f === NONE) f = this.#top++
    else this.#freeHead = this.#chain[f]
    const subtable = this.#subtableOf(mask)
    const at = f * KEY_WORDS
    for (let i = 0; i < KEY_WORDS; i++) this.#keys[at + i] = key[i] & mask[i]
    const hash = subtable.hashOf(key, 0, this.#seed)
    this.#hash[f] = hash
    this.#subtable[f] = subtable
    this.records.begin(f, address, now)
    this.#programLength[f] = length
    this.#creditedPackets[f] = 0
    this.#creditedBytes[f] = 0
    this.#counters.put(f, counters, counterCount)
    this.#rewritten[f] = rewritten
    if (subtable.count >= subtable.buckets.length) subtable.grow(this.#hash, this.#chain)
    const bucket = hash & (subtable.buckets.length - 1)
    this.#chain[f] = subtable.buckets[bucket]
    subtable.buckets[bucket] = f
    subtable.count++
    this.count++
    this.#tags.add(f, tags, stations, tagCount)
    return f
  }

  /** The packet that made a flow, about to be counted, counts for what it met but not for the flow, as in OVS. */
  discount(f: number, bytes: number): void {
    this.records.discount(f, bytes)
    this.#creditedPackets[f]--
    this.#creditedBytes[f] -= bytes
  }

  /** Drops every flow that depends on a tag. */
  touch(tag: number): void {
    for (let f = this.#tags.first(tag); f !== NONE; f = this.#tags.first(tag)) this.remove(f)
  }

  /**
   * Drops flows that depend on a tag, but not those whose keys show that no packet of theirs meets `match`.
   * @returns how many were looked at
   */
  touchMatching(tag: number, match: Match): number {
    const seen = this.#tags.under(tag, this.#found)
    for (let i = 0; i < seen; i++) if (this.#mayMeet(this.#found[i], match)) this.remove(this.#found[i])
    return seen
  }

  #mayMeet(f: number, { value, mask }: Match): boolean {
    const known = this.#subtable[f]!.mask
    const rewritten = this.#rewritten[f]
    const at = f * KEY_WORDS
    for (let w = 0; w < KEY_WORDS; w++) {
      const bits = mask[w] & known[w]
      if (bits !== 0 && ((rewritten >>> w) & 1) === 0 && ((this.#keys[at + w] ^ value[w]) & bits) !== 0) {
        return false
      }
    }
    return true
  }

  /** Credits what all flows have carried to their counters. */
  credit(): void {
    this.#creditAt = 0
    while (!this.creditSome()) {}
  }

  /** The same for some flows, going on where it was left; whether all have had their turn. */
  creditSome(): boolean {
    const end = Math.min(this.#creditAt + CREDITS, this.#top)
    for (let f = this.#creditAt; f < end; f++) if (this.#subtable[f] !== undefined) this.#credit(f)
    const all = end === this.#top
    this.#creditAt = all ? 0 : end
    return all
  }

  #credit(f: number): void {
    const packets = this.records.packets(f) - this.#creditedPackets[f]
    if (packets === 0) return
    const bytes = this.records.bytes(f) - this.#creditedBytes[f]
    this.#counters.credit(f, packets, bytes, this.records.used(f))
    this.#creditedPackets[f] = this.records.packets(f)
    this.#creditedBytes[f] = this.records.bytes(f)
  }

  /** When a flow last carried a frame of this station, which has this tag; -Infinity for never. */
  lastHeard(tag: number, station: number, mac: number): Instant {
    let latest = Number.NEGATIVE_INFINITY
    const count = this.#tags.under(tag, this.#found, station)
    for (let i = 0; i < count; i++) {
      const f = this.#found[i]
      if (this.records.used(f) > latest && this.#sourceOf(f) === mac) latest = this.records.used(f)
    }
    return latest
  }

  #sourceOf(f: number): number {
    const at = f * KEY_WORDS
    return (this.#keys[at + W_DL_MIX] & 0xffff) * 0x1_0000_0000 + this.#keys[at + W_DL_SRC]
  }

  /** When any flow under this tag last carried a packet; -Infinity for never. */
  lastUsed(tag: number): Instant {
    let latest = Number.NEGATIVE_INFINITY
    const count = this.#tags.under(tag, this.#found)
    for (let i = 0; i < count; i++) latest = Math.max(latest, this.records.used(this.#found[i]))
    return latest
  }

  remove(f: number): void {
    const subtable = this.#subtable[f]
    if (subtable === undefined) return
    const bucket = this.#hash[f] & (subtable.buckets.length - 1)
    let link = subtable.buckets[bucket]
    if (link === f) subtable.buckets[bucket] = this.#chain[f]
    else {
      while (this.#chain[link] !== f) link = this.#chain[link]
      this.#chain[link] = this.#chain[f]
    }
    const tags = this.#tags
    for (let node = tags.shared(f); node !== 0; node = tags.nextShared(node)) {
      const station = tags.station(node)
      if (station !== 0) this.#listener.stationHeard(station, this.#sourceOf(f), this.records.used(f))
    }
    this.#credit(f)
    this.#counters.remove(f)
    tags.remove(f)
    this.programs.free(this.records.program(f), this.#programLength[f])
    this.records.end(f)
    this.#subtable[f] = undefined
    this.#chain[f] = this.#freeHead
    this.#freeHead = f
    this.count--
    if (--subtable.count === 0 && this.#subtables.length > MASKS_KEPT) {
      this.#subtables = this.#subtables.filter((s) => s.count > 0)
    }
  }

  clear(): void {
    for (let f = 0; this.count > 0; f++) this.remove(f)
  }

  /** Drops flows unused for longer than `maxIdle` milliseconds. Called about once a second. */
  expire(now: Instant, maxIdle: number): void {
    const steps = Math.min(SWEEP, this.limit)
    for (let i = 0; i < steps && this.count > 0; i++) {
      const f = this.#sweepAt
      this.#sweepAt = f + 1 === this.limit ? 0 : f + 1
      if (this.#subtable[f] !== undefined && this.records.used(f) + maxIdle <= now) this.remove(f)
    }
  }

  /** The next flow in use from index `from` on, or -1. */
  next(from: number): number {
    for (let f = from; f < this.#top; f++) if (this.#subtable[f] !== undefined) return f
    return NONE
  }

  /** The same, from the beginning again behind the last. There is a flow. */
  #nextUsed(from: number): number {
    const f = this.next(from)
    return f === NONE ? this.next(0) : f
  }

  /** The flow's masked key; valid while the flow is. */
  keyOf(f: number): Uint32Array {
    return this.#keys.subarray(f * KEY_WORDS, (f + 1) * KEY_WORDS)
  }

  maskOf(f: number): Uint32Array {
    return this.#subtable[f]!.mask
  }

  #matches(f: number, subtable: MegaflowSubtable, keys: Uint32Array, key: number): boolean {
    const { words, bits } = subtable
    const at = f * KEY_WORDS
    for (let i = 0; i < words.length; i++) {
      const w = words[i]
      if (((this.#keys[at + w] ^ keys[key + w]) & bits[i]) !== 0) return false
    }
    return true
  }

  #subtableOf(mask: Uint32Array): MegaflowSubtable {
    for (const s of this.#subtables) {
      let i = 0
      while (i < KEY_WORDS && s.mask[i] === mask[i]) i++
      if (i === KEY_WORDS) return s
    }
    const subtable = new MegaflowSubtable(mask.subarray(0, KEY_WORDS))
    this.#subtables.push(subtable)
    return subtable
  }

  #sortSubtables(): void {
    this.#subtables.sort((a, b) => b.hits - a.hits)
    for (const s of this.#subtables) s.hits >>>= 1
  }

  #evict(): void {
    let victim = NONE
    for (let i = 0; i < Math.min(EVICTION_SAMPLE, this.count); i++) {
      const f = this.#nextUsed(this.#evictAt)
      this.#evictAt = f + 1 === this.limit ? 0 : f + 1
      if (victim === NONE || this.records.used(f) < this.records.used(victim)) victim = f
    }
    this.remove(victim)
  }
}
