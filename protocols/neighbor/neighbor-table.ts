/**
 * The neighbour cache of one interface: which station has which IPv4 address. RFC 826 leaves validation open;
 * the states and their spans are those of RFC 4861 §7.3.2, the poll by unicast is RFC 1122 §2.3.2.1 (2).
 *
 * Who forwards by cached decisions does not ask this table for every packet. An entry that grows old is
 * therefore verified if its owner says that it was used (`lastUsed`), and `changed` tells when an answer no
 * longer holds, so that cached decisions go.
 *
 * The table is bounded. Entries stand in one of three queues, by what they are good for: learned but never
 * asked for, asked for but without an answer, and in use. Room is made from the first, then the second, then
 * the third, oldest first; what merely introduces itself displaces only the first. A flood of senders or a
 * scan of a subnet so displaces nobody who is in use.
 */
import { type Duration, type Instant, MINUTE, SECOND } from '../time.ts'

/** States of an entry. */
export const VACANT = 0
/** Asked for, no answer yet. */
export const INCOMPLETE = 1
/** Answered lately. */
export const REACHABLE = 2
/** Known, but not confirmed lately. */
export const STALE = 3
/** Being asked by unicast whether it is still there. */
export const PROBE = 4
/** Asked for in vain. */
export const FAILED = 5
/** Stale and used again; verified soon. */
export const DELAY = 6

/** Requests sent before an address is given up, and the span between them (RFC 1122 §2.3.2.1: at most 1/s). */
export const MAX_REQUESTS = 3
export const RETRANSMIT: Duration = SECOND
/** A confirmed address is verified after this, plus up to REACHABLE_SPREAD so that not all come at once. */
export const REACHABLE_TIME: Duration = 50 * SECOND
export const REACHABLE_SPREAD: Duration = 20 * SECOND
/** A stale address that comes to be used is verified after this (RFC 4861 DELAY_FIRST_PROBE_TIME). */
export const DELAY_FIRST_PROBE: Duration = 5 * SECOND
/** An unused stale address is forgotten after this. */
export const STALE_TIME: Duration = 10 * MINUTE
/** A failure is remembered for the table's readers for this long. */
export const FAILED_TIME: Duration = MINUTE
/** An address that has just changed its station does not change it again within this: two that claim it
 * at once would make every cached decision go back and forth. Of several that answer a question the first counts. */
export const LOCK_TIME: Duration = SECOND

/** Requests sent in one poll at the most; the rest follow a moment later. */
const BATCH = 64
const BATCH_PAUSE: Duration = 50

const QUEUE_UNUSED = 0
const QUEUE_PENDING = 1
const QUEUE_USED = 2

/** What the table asks of its owner. The first three may call back into the table, the others must not. */
export interface NeighborEvents {
  /** Ask who has the address: everybody, or, with a station's address, that station. */
  request(address: number, mac: number | undefined): void
  /** The entry has a station now: what waits for it can go. */
  resolved(slot: number): void
  /** Nobody answers: what waits for it is undeliverable. */
  unresolved(slot: number): void
  /** The entry made room for others before it was answered. */
  displaced(slot: number): void
  /** What `lookup` says of this address is not what it said before, or it is to be asked anew. */
  changed(address: number): void
  /** When a cached decision that depends on the address was last used; -Infinity for never. */
  lastUsed(address: number): Instant
}

export class NeighborTable {
  readonly capacity: number
  readonly #events: NeighborEvents
  readonly #address: Uint32Array
  readonly #mac: Float64Array
  readonly #state: Uint8Array
  readonly #tries: Uint8Array
  readonly #due: Float64Array
  readonly #confirmed: Float64Array
  readonly #moved: Float64Array
  readonly #asked: Float64Array
  readonly #buckets: Int32Array
  readonly #chain: Int32Array
  readonly #queue: Uint8Array
  readonly #next: Int32Array
  readonly #prev: Int32Array
  readonly #head = new Int32Array(3).fill(-1)
  readonly #tail = new Int32Array(3).fill(-1)
  readonly #free: Int32Array
  #freeCount: number
  #nextDue = Number.POSITIVE_INFINITY

  constructor(capacity: number, events: NeighborEvents) {
    this.capacity = capacity
    this.#events = events
    this.#address = new Uint32Array(capacity)
    this.#mac = new Float64Array(capacity)
    this.#state = new Uint8Array(capacity)
    this.#tries = new Uint8Array(capacity)
    this.#due = new Float64Array(capacity).fill(Number.POSITIVE_INFINITY)
    this.#confirmed = new Float64Array(capacity)
    this.#moved = new Float64Array(capacity)
    this.#asked = new Float64Array(capacity)
    let buckets = 16
    while (buckets < capacity * 2) buckets *= 2
    this.#buckets = new Int32Array(buckets).fill(-1)
    this.#chain = new Int32Array(capacity)
    this.#queue = new Uint8Array(capacity)
    this.#next = new Int32Array(capacity)
    this.#prev = new Int32Array(capacity)
    this.#free = Int32Array.from({ length: capacity }, (_, i) => capacity - 1 - i)
    this.#freeCount = capacity
  }

  get size(): number {
    return this.capacity - this.#freeCount
  }

  /** The entry's slot, whatever its state, or -1. Changes nothing. */
  find(address: number): number {
    for (let s = this.#buckets[this.#bucket(address)]; s >= 0; s = this.#chain[s]) {
      if (this.#address[s] === address) return s
    }
    return -1
  }

  state(slot: number): number {
    return this.#state[slot]
  }

  address(slot: number): number {
    return this.#address[slot]
  }

  /** The station's address; meaningful where `hasStation`. */
  mac(slot: number): number {
    return this.#mac[slot]
  }

  hasStation(slot: number): boolean {
    const state = this.#state[slot]
    return state === REACHABLE || state === STALE || state === PROBE || state === DELAY
  }

  /** When the station last showed that it hears us. */
  confirmed(slot: number): Instant {
    return this.#confirmed[slot]
  }

  /** The slot of an address whose station is known, or -1. Marks the entry as in use. */
  lookup(now: Instant, address: number): number {
    const s = this.find(address)
    if (s < 0 || !this.hasStation(s)) return -1
    this.#enqueue(s, QUEUE_USED)
    this.#asked[s] = now
    if (this.#state[s] === STALE) this.#delay(now, s)
    return s
  }

  /**
   * The slot of an address that a packet waits for. The caller puts the packet by and then calls `ask`, because
   * the answer may come before `ask` returns.
   */
  want(address: number): number {
    let s = this.find(address)
    if (s < 0) {
      s = this.#insert(address, QUEUE_USED)
      this.#state[s] = INCOMPLETE
      this.#tries[s] = 0
      this.#enqueue(s, QUEUE_PENDING)
    } else if (this.#state[s] === FAILED) {
      this.#state[s] = INCOMPLETE
      this.#tries[s] = 0
      this.#enqueue(s, QUEUE_PENDING)
    }
    return s
  }

  /** Sends the first request for a slot that `want` gave; no more than that while one is under way. */
  ask(now: Instant, slot: number): void {
    if (this.#state[slot] !== INCOMPLETE || this.#tries[slot] > 0) return
    this.#tries[slot] = 1
    this.#schedule(slot, now + RETRANSMIT)
    this.#events.request(this.#address[slot], undefined)
  }

  /**
   * A station has shown its address: the <merge> of RFC 826.
   * @param solicited it answered a request of ours, so that both ways are known to work
   * @param create whether an entry is made where there is none
   */
  update(now: Instant, address: number, mac: number, solicited: boolean, create: boolean): void {
    let s = this.find(address)
    if (s < 0) {
      if (!create) return
      s = this.#insert(address, QUEUE_UNUSED)
      if (s < 0) return
      this.#setStation(now, s, mac, false)
      this.#enqueue(s, QUEUE_UNUSED)
      this.#events.changed(address)
    } else if (!this.hasStation(s)) {
      this.#setStation(now, s, mac, solicited)
      this.#enqueue(s, QUEUE_USED)
      this.#events.changed(address)
      this.#events.resolved(s)
    } else if (this.#mac[s] !== mac) {
      if (now - this.#moved[s] < LOCK_TIME) return
      this.#setStation(now, s, mac, solicited)
      this.#events.changed(address)
    } else if (solicited) {
      this.#setStation(now, s, mac, true)
    } else if (this.#queue[s] === QUEUE_UNUSED) {
      this.#enqueue(s, QUEUE_UNUSED)
      this.#schedule(s, now + STALE_TIME)
    }
  }

  /** Forgets an entry. What waits for it is displaced. */
  remove(slot: number): void {
    const address = this.#address[slot]
    const waiting = this.#state[slot] === INCOMPLETE
    this.#unlinkQueue(slot)
    const b = this.#bucket(address)
    if (this.#buckets[b] === slot) this.#buckets[b] = this.#chain[slot]
    else {
      let s = this.#buckets[b]
      while (this.#chain[s] !== slot) s = this.#chain[s]
      this.#chain[s] = this.#chain[slot]
    }
    this.#state[slot] = VACANT
    this.#due[slot] = Number.POSITIVE_INFINITY
    // The events come before the slot can be taken again, so that they are about this entry.
    if (waiting) this.#events.displaced(slot)
    this.#free[this.#freeCount++] = slot
    this.#events.changed(address)
  }

  /** Does what is due. */
  poll(now: Instant): void {
    if (now < this.#nextDue) return
    this.#nextDue = Number.POSITIVE_INFINITY
    let requests = 0
    for (let s = 0; s < this.capacity; s++) {
      if (this.#due[s] > now) {
        if (this.#due[s] < this.#nextDue) this.#nextDue = this.#due[s]
        continue
      }
      if (requests >= BATCH) {
        this.#nextDue = now + BATCH_PAUSE
        return
      }
      requests += this.#timeout(now, s)
    }
  }

  pollAt(): Instant | undefined {
    return this.#nextDue === Number.POSITIVE_INFINITY ? undefined : this.#nextDue
  }

  /** Calls `visit` with the slot of every entry. The visitor may remove entries. */
  forEach(visit: (slot: number) => void): void {
    for (let s = 0; s < this.capacity; s++) if (this.#state[s] !== VACANT) visit(s)
  }

  /** @returns how many requests it sent */
  #timeout(now: Instant, s: number): number {
    const address = this.#address[s]
    switch (this.#state[s]) {
      case INCOMPLETE:
        if (this.#tries[s] < MAX_REQUESTS) {
          this.#tries[s]++
          this.#schedule(s, now + RETRANSMIT)
          this.#events.request(address, undefined)
          return 1
        }
        this.#state[s] = FAILED
        this.#schedule(s, now + FAILED_TIME)
        this.#events.unresolved(s)
        return 0
      case REACHABLE:
        if (Math.max(this.#asked[s], this.#events.lastUsed(address)) < this.#confirmed[s]) {
          this.#state[s] = STALE
          this.#schedule(s, now + STALE_TIME)
          // Whoever wants it again comes by `lookup`, which sees to it that it is verified.
          this.#events.changed(address)
          return 0
        }
        break
      case DELAY:
        break
      case PROBE:
        if (this.#tries[s] >= MAX_REQUESTS) {
          this.remove(s)
          return 0
        }
        this.#tries[s]++
        this.#schedule(s, now + RETRANSMIT)
        this.#events.request(address, this.#mac[s])
        return 1
      default:
        this.remove(s)
        return 0
    }
    this.#state[s] = PROBE
    this.#tries[s] = 1
    this.#schedule(s, now + RETRANSMIT)
    this.#events.request(address, this.#mac[s])
    return 1
  }

  #setStation(now: Instant, s: number, mac: number, confirmed: boolean): void {
    if (this.hasStation(s) ? this.#mac[s] !== mac : confirmed) this.#moved[s] = now
    this.#mac[s] = mac
    this.#tries[s] = 0
    this.#confirmed[s] = now
    if (confirmed) {
      this.#state[s] = REACHABLE
      this.#schedule(s, now + REACHABLE_TIME + (hash(this.#address[s]) % REACHABLE_SPREAD))
    } else {
      this.#state[s] = STALE
      this.#schedule(s, now + STALE_TIME)
    }
  }

  #delay(now: Instant, s: number): void {
    this.#state[s] = DELAY
    this.#schedule(s, now + DELAY_FIRST_PROBE)
  }

  #schedule(s: number, due: Instant): void {
    this.#due[s] = due
    if (due < this.#nextDue) this.#nextDue = due
  }

  /** @returns a slot linked under its address but in no queue yet, or -1 when `wish` is worth no displacement */
  #insert(address: number, wish: number): number {
    if (this.#freeCount === 0) {
      let victim = this.#head[QUEUE_UNUSED]
      if (victim < 0 && wish !== QUEUE_UNUSED) {
        victim = this.#head[QUEUE_PENDING]
        if (victim < 0) victim = this.#head[QUEUE_USED]
      }
      if (victim < 0) return -1
      this.remove(victim)
    }
    const s = this.#free[--this.#freeCount]
    this.#address[s] = address
    this.#mac[s] = 0
    this.#moved[s] = Number.NEGATIVE_INFINITY
    this.#asked[s] = Number.NEGATIVE_INFINITY
    const b = this.#bucket(address)
    this.#chain[s] = this.#buckets[b]
    this.#buckets[b] = s
    this.#queue[s] = wish
    this.#append(s)
    return s
  }

  #enqueue(s: number, queue: number): void {
    if (this.#tail[queue] === s) return
    this.#unlinkQueue(s)
    this.#queue[s] = queue
    this.#append(s)
  }

  #append(s: number): void {
    const queue = this.#queue[s]
    const tail = this.#tail[queue]
    this.#prev[s] = tail
    this.#next[s] = -1
    if (tail < 0) this.#head[queue] = s
    else this.#next[tail] = s
    this.#tail[queue] = s
  }

  #unlinkQueue(s: number): void {
    const queue = this.#queue[s]
    const prev = this.#prev[s]
    const next = this.#next[s]
    if (prev < 0) this.#head[queue] = next
    else this.#next[prev] = next
    if (next < 0) this.#tail[queue] = prev
    else this.#prev[next] = prev
  }

  #bucket(address: number): number {
    return hash(address) & (this.#buckets.length - 1)
  }
}

function hash(address: number): number {
  const h = Math.imul(address ^ (address >>> 16), 0x9e3779b1)
  return (h ^ (h >>> 15)) >>> 0
}
