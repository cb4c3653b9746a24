/**
 * The forwarding database of one bridge: which port a station (VLAN, MAC address) was last heard on.
 * IEEE 802.1Q-2018 §8.8; table size and ageing as mac-table-size and mac-aging-time in Open vSwitch.
 *
 * Bounded: when full, the entry not heard of for longest makes room. Every change is reported under the
 * station's tag, so that flows which looked it up, found or not, are translated again.
 *
 * Frames that a cached flow carries do not come by here. Before an entry is aged out or makes room, its owner
 * is therefore asked when flows last carried a frame of that station, and when such a flow goes this is told
 * (`heard`); the entry lives on from then.
 */
import type { Instant } from '../../protocols/time.ts'
import { macHigh, macLow } from '../flow/fields.ts'
import { stationOf, TAG_MAC, tagOf } from '../ofproto/tags.ts'

/** The owner of the flows that use a table. */
export interface StationWatch {
  /** What is known of the station with this tag has changed. Must not call back. */
  stationChanged(tag: number): void
  /** When a cached flow last carried a frame of the station; -Infinity for never. */
  lastHeard(tag: number, station: number, mac: number): Instant
}

/** Entries looked at per call of `expire`; larger tables are swept over several calls. */
const SWEEP = 65_536

/** Entries that flows keep alive and that are passed over when one must make room. */
const EVICTION_TRIES = 8

const NONE = -1

/** What has become of stations since the bridge was made, or this was cleared. */
export interface FdbCounters {
  learned: number
  expired: number
  evicted: number
  moved: number
}

export class Fdb {
  readonly counters: FdbCounters = { learned: 0, expired: 0, evicted: 0, moved: 0 }
  readonly #watch: StationWatch
  readonly #bridge: number
  #capacity: number
  #aging: number
  #count = 0
  #statics = 0

  #mac!: Float64Array
  #vlan!: Uint16Array
  #port!: Int32Array
  #used!: Float64Array
  #static!: Uint8Array
  #chain!: Int32Array
  /** Learned entries in the order they were heard of. */
  #older!: Int32Array
  #newer!: Int32Array
  #buckets!: Int32Array
  #bucketMask = 0
  #freeHead = NONE
  #oldest = NONE
  #newest = NONE
  #sweepAt = 0

  /**
   * @param bridge the bridge's index, part of its stations' tags
   * @param capacity learned entries at the most
   * @param aging milliseconds
   */
  constructor(watch: StationWatch, bridge: number, capacity: number, aging: number) {
    this.#watch = watch
    this.#bridge = bridge
    this.#capacity = capacity
    this.#aging = aging
    this.#build(capacity, 0)
  }

  get size(): number {
    return this.#count
  }

  /** Static ones among them. */
  get statics(): number {
    return this.#statics
  }

  get capacity(): number {
    return this.#capacity
  }

  /** Milliseconds after which a silent station is forgotten. */
  set aging(ms: number) {
    this.#aging = ms
  }

  /** Changes the bound; a smaller one forgets the stations silent for longest. */
  resize(capacity: number): void {
    if (capacity !== this.#capacity) this.#rebuild(capacity)
  }

  #rebuild(capacity: number): void {
    const statics = this.#statics
    while (this.#count - statics > capacity) this.#evict()
    const kept: [number, number, number, number, number][] = []
    for (let e = 0; e < this.#mac.length; e++) {
      if (this.#port[e] === NONE || this.#static[e] === 0) continue
      kept.push([this.#mac[e], this.#vlan[e], this.#port[e], this.#used[e], 1])
    }
    for (let e = this.#oldest; e !== NONE; e = this.#newer[e]) {
      kept.push([this.#mac[e], this.#vlan[e], this.#port[e], this.#used[e], 0])
    }
    this.#capacity = capacity
    this.#count = 0
    this.#statics = 0
    this.#oldest = NONE
    this.#newest = NONE
    this.#build(capacity, statics)
    for (const [mac, vlan, port, used, fixed] of kept) this.#insert(vlan, mac, port, used, fixed)
  }

  /** The tag under which a station is looked up. */
  tag(vlan: number, mac: number): number {
    return tagOf(TAG_MAC, this.#bridge * 4096 + vlan, macHigh(mac), macLow(mac))
  }

  /** Port number the station is on, or -1. An entry past its age is still answered until it is swept. */
  lookup(vlan: number, mac: number): number {
    const e = this.#find(vlan, mac)
    return e === NONE ? -1 : this.#port[e]
  }

  /** The station was heard on a port. Static entries do not move. */
  learn(vlan: number, mac: number, port: number, now: Instant): void {
    const e = this.#find(vlan, mac)
    if (e === NONE) {
      this.#insert(vlan, mac, port, now, 0)
      this.counters.learned++
      this.#watch.stationChanged(this.tag(vlan, mac))
      return
    }
    if (this.#static[e] === 1) return
    this.#refresh(e, now)
    if (this.#port[e] === port) return
    this.#port[e] = port
    this.counters.moved++
    this.#watch.stationChanged(this.tag(vlan, mac))
  }

  /** A flow that is no more carried frames of the station until `at`. */
  heard(vlan: number, mac: number, at: Instant): void {
    const e = this.#find(vlan, mac)
    if (e !== NONE && this.#static[e] === 0 && at > this.#used[e]) this.#refresh(e, at)
  }

  /** An entry that neither ages nor moves: a router's interface, a line of configuration. */
  addStatic(vlan: number, mac: number, port: number): void {
    const e = this.#find(vlan, mac)
    if (e !== NONE) this.#remove(e)
    this.#insert(vlan, mac, port, Number.POSITIVE_INFINITY, 1)
    this.#watch.stationChanged(this.tag(vlan, mac))
  }

  /** Takes a static entry away; false when there is none. */
  removeStatic(vlan: number, mac: number): boolean {
    const e = this.#find(vlan, mac)
    if (e === NONE || this.#static[e] === 0) return false
    this.#forget(e)
    return true
  }

  /** Forgets the stations of a port, static ones too. */
  removePort(port: number): void {
    for (let e = 0; e < this.#mac.length; e++) if (this.#port[e] === port) this.#forget(e)
  }

  /** The port has another number; its stations stay where they are. */
  renumberPort(from: number, to: number): void {
    for (let e = 0; e < this.#mac.length; e++) {
      if (this.#port[e] !== from) continue
      this.#port[e] = to
      this.#watch.stationChanged(this.tag(this.#vlan[e], this.#mac[e]))
    }
  }

  /** Forgets every learned station. */
  flush(): void {
    for (let e = 0; e < this.#mac.length; e++) {
      if (this.#port[e] !== NONE && this.#static[e] === 0) this.#forget(e)
    }
  }

  /** Forgets stations silent for longer than the ageing time. Called about once a second. */
  expire(now: Instant): void {
    const total = this.#mac.length
    const steps = Math.min(SWEEP, total)
    for (let i = 0; i < steps; i++) {
      const e = this.#sweepAt
      this.#sweepAt = e + 1 === total ? 0 : e + 1
      if (this.#port[e] === NONE || this.#static[e] === 1) continue
      if (this.#used[e] + this.#aging > now) continue
      const heard = this.#lastHeard(e)
      if (heard + this.#aging > now) this.#refresh(e, heard)
      else {
        this.counters.expired++
        this.#forget(e)
      }
    }
  }

  /** Calls `row` with each entry, from index `from` on, until it returns false; returns where to go on. */
  walk(
    from: number,
    row: (vlan: number, mac: number, port: number, used: Instant, fixed: boolean) => boolean,
  ): number | undefined {
    for (let e = from; e < this.#mac.length; e++) {
      if (this.#port[e] === NONE) continue
      const used = Math.max(this.#used[e], this.#lastHeard(e))
      if (!row(this.#vlan[e], this.#mac[e], this.#port[e], used, this.#static[e] === 1)) return e + 1
    }
    return undefined
  }

  #build(capacity: number, statics: number): void {
    // Static entries come on top of the bound.
    const entries = capacity + statics + 64
    this.#mac = new Float64Array(entries)
    this.#vlan = new Uint16Array(entries)
    this.#port = new Int32Array(entries).fill(NONE)
    this.#used = new Float64Array(entries)
    this.#static = new Uint8Array(entries)
    this.#chain = new Int32Array(entries)
    this.#older = new Int32Array(entries)
    this.#newer = new Int32Array(entries)
    let buckets = 64
    while (buckets < entries) buckets *= 2
    this.#buckets = new Int32Array(buckets).fill(NONE)
    this.#bucketMask = buckets - 1
    this.#freeHead = NONE
    for (let e = entries - 1; e >= 0; e--) {
      this.#chain[e] = this.#freeHead
      this.#freeHead = e
    }
    this.#sweepAt = 0
  }

  #bucket(vlan: number, mac: number): number {
    let h = Math.imul(macLow(mac), 0x85ebca6b) ^ Math.imul(macHigh(mac) ^ (vlan << 16), 0xc2b2ae35)
    h = Math.imul(h ^ (h >>> 15), 0x27d4eb2f)
    return (h ^ (h >>> 13)) & this.#bucketMask
  }

  #find(vlan: number, mac: number): number {
    let e = this.#buckets[this.#bucket(vlan, mac)]
    while (e !== NONE && (this.#mac[e] !== mac || this.#vlan[e] !== vlan)) e = this.#chain[e]
    return e
  }

  #insert(vlan: number, mac: number, port: number, used: Instant, fixed: number): void {
    if (fixed === 0 && this.#count - this.#statics >= this.#capacity) this.#evict()
    if (this.#freeHead === NONE) this.#rebuild(this.#capacity)
    const e = this.#freeHead
    this.#freeHead = this.#chain[e]
    this.#mac[e] = mac
    this.#vlan[e] = vlan
    this.#port[e] = port
    this.#used[e] = used
    this.#static[e] = fixed
    const b = this.#bucket(vlan, mac)
    this.#chain[e] = this.#buckets[b]
    this.#buckets[b] = e
    if (fixed === 0) this.#appendNewest(e)
    this.#count++
    this.#statics += fixed
  }

  #evict(): void {
    for (let tries = 0; tries < EVICTION_TRIES && this.#oldest !== NONE; tries++) {
      const heard = this.#lastHeard(this.#oldest)
      if (heard <= this.#used[this.#oldest]) break
      this.#refresh(this.#oldest, heard)
    }
    if (this.#oldest === NONE) return
    this.counters.evicted++
    this.#forget(this.#oldest)
  }

  #refresh(e: number, at: Instant): void {
    this.#used[e] = at
    this.#unlinkAge(e)
    this.#appendNewest(e)
  }

  #lastHeard(e: number): Instant {
    const vlan = this.#vlan[e]
    const mac = this.#mac[e]
    return this.#watch.lastHeard(this.tag(vlan, mac), stationOf(this.#bridge, vlan), mac)
  }

  #forget(e: number): void {
    const tag = this.tag(this.#vlan[e], this.#mac[e])
    this.#remove(e)
    this.#watch.stationChanged(tag)
  }

  #remove(e: number): void {
    const b = this.#bucket(this.#vlan[e], this.#mac[e])
    let link = this.#buckets[b]
    if (link === e) this.#buckets[b] = this.#chain[e]
    else {
      while (this.#chain[link] !== e) link = this.#chain[link]
      this.#chain[link] = this.#chain[e]
    }
    if (this.#static[e] === 0) this.#unlinkAge(e)
    this.#statics -= this.#static[e]
    this.#port[e] = NONE
    this.#chain[e] = this.#freeHead
    this.#freeHead = e
    this.#count--
  }

  #appendNewest(e: number): void {
    this.#older[e] = this.#newest
    this.#newer[e] = NONE
    if (this.#newest === NONE) this.#oldest = e
    else this.#newer[this.#newest] = e
    this.#newest = e
  }

  #unlinkAge(e: number): void {
    const older = this.#older[e]
    const newer = this.#newer[e]
    if (older === NONE) this.#oldest = newer
    else this.#newer[older] = newer
    if (newer === NONE) this.#newest = older
    else this.#older[newer] = older
  }
}
