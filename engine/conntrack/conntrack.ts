/**
 * The connection tracker.
 *
 * Problem: millions of connections, a packet of any of which must be judged in tens of nanoseconds, and any
 * of which may be forged; memory is bounded, and a flood of half-open connections must not push out those
 * that are in use.
 *
 * A connection is a small integer. It has two tuples: that of the packets that go as the first one went
 * (direction 0, ORIGINAL) and that of the answers (direction 1, REPLY) *as each arrives*. Without NAT one is
 * the other reversed; with NAT the difference is the translation: a packet that arrives as tuple d leaves as
 * the reverse of tuple 1-d. Both tuples are found by one hash, `lookup`, at translation time. From then on
 * megaflows know the connection by number and call `packet`, which touches one cache line.
 *
 * Connections belong to zones (a router's, `ct()`'s), each with its own bound and timeouts. A full zone evicts
 * its oldest connection that is not yet assured, and refuses the new one if all are. Numbers of connections that
 * went are reused late, and going touches the connection's tag, so that no cached decision outlives it.
 */
import type { Instant } from '../../protocols/time.ts'
import { ACK_NUMBER, FIN, flags as flagsOf } from '../../protocols/wire/tcp.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import type { TagListener } from '../ofproto/tags.ts'
import {
  F_ASSURED,
  F_EVICTABLE,
  F_EXPECTED,
  F_HELPED,
  F_REFRESH,
  F_RENEWABLE,
  F_REPLIED,
  R_CREATED,
  R_DUE,
  R_EXPIRES,
  R_FLAGS,
  R_PROTO,
  R_STATE,
  R_ZONE,
  RECORD_SHIFT,
} from './connection-record.ts'
import { Connections } from './connections.ts'
import { ExpiryWheel } from './expiry-wheel.ts'
import { Helpers } from './helpers.ts'
import { IndexLinks, type IndexList } from './index-list.ts'
import { isOver, stateOf, TRACK_IGNORE, TRACK_REOPEN, trackTcp } from './tcp-state.ts'
import { PROTO_TCP } from './tuple.ts'
import { type ConnectionOwner, Zone, type ZoneSettings } from './zone.ts'

/** Milliseconds a tick; nothing expires early, and at most this much late. */
const TICK = 100
/** Numbers of connections that went which are kept from reuse for a while. */
const QUARANTINE = 64
/** Expiries handled in one `poll`, so that a flood that expires at once does not hold up packets. */
const EXPIRIES_PER_POLL = 4096

/** Connections that have closed whose cached decisions are kept for stragglers, at the most; a power of two. */
const CLOSED = 128

/** Answers of `create`. */
export const CREATE_FULL = -1
/** The answers' tuple belongs to another connection. */
export const CREATE_CLASH = -2

export class Conntrack extends Connections {
  readonly helpers = new Helpers(this)
  readonly #tags: TagListener
  readonly #zones: Zone[] = []
  readonly #wheel = new ExpiryWheel()
  /** Links of the zones' lists of evictable connections and of `#freed`. */
  readonly #links = new IndexLinks()
  /** Numbers of connections that went, in order of going. */
  readonly #freed: IndexList = { head: 0, tail: 0 }
  #freedCount = 0
  /** Numbers from here on have never been used. */
  #fresh = 0
  #capacity = 0
  #count = 0
  /** Those that have closed last, one behind the other and then from the beginning again; -1 for none. */
  readonly #closed = new Int32Array(CLOSED).fill(-1)
  #closedAt = 0
  /** The last packet shown does not fit its connection: a segment out of the window, say. Told if it is to be. */
  ignored = false
  /** Whether it is. */
  sequenceChecks = true
  #epoch: Instant = Number.NaN // the first time heard of, from which ticks are counted
  #now: Instant = Number.NaN
  #tick = 1

  /**
   * @param tags told of connections that go and of tuples that get a connection
   * @param seed makes the hash unpredictable to senders
   */
  constructor(tags: TagListener, seed: number) {
    super(seed)
    this.#tags = tags
  }

  /** Connections in all zones. */
  get count(): number {
    return this.#count
  }

  /** Opens a zone and returns its handle. */
  openZone(owner: ConnectionOwner, settings: ZoneSettings): number {
    let handle = this.#zones.findIndex((z) => !z.open)
    if (handle < 0) handle = this.#zones.length
    this.#zones[handle] = new Zone(owner)
    this.configureZone(handle, settings)
    return handle
  }

  /** New bounds hold for connections to come, new timeouts from each connection's next packet on. */
  configureZone(handle: number, settings: ZoneSettings): void {
    const zone = this.#zones[handle]
    zone.configure(settings, TICK)
    let limits = QUARANTINE
    for (const z of this.#zones) if (z.open) limits += Math.max(z.limit, z.count)
    this.#reserve(limits)
  }

  closeZone(handle: number): void {
    this.flush(handle)
    this.#zones[handle].open = false
    this.#zones[handle].limit = 0
  }

  zone(handle: number): Zone {
    return this.#zones[handle]
  }

  /**
   * The connection that a packet with this tuple belongs to.
   * @param tp see tuple.ts
   * @returns connection * 2 + direction, or -1
   */
  lookup(zone: number, proto: number, src: number, dst: number, tp: number): number {
    return this.tuples.lookup((zone << 8) | proto, src, dst, tp)
  }

  /**
   * A new connection, whose first packet is yet to be shown to `packet`.
   * @param refresh which directions prolong its life: 1 original, 2 reply, 3 both; TCP always has both
   * @returns the connection, or CREATE_FULL or CREATE_CLASH
   */
  create(
    zone: number,
    proto: number,
    src: number,
    dst: number,
    tp: number,
    replySrc: number,
    replyDst: number,
    replyTp: number,
    refresh: number,
    now: Instant,
  ): number {
    const z = this.#zones[zone]
    if (this.lookup(zone, proto, replySrc, replyDst, replyTp) >= 0) return CREATE_CLASH
    if (this.lookup(zone, proto, src, dst, tp) >= 0) return CREATE_CLASH
    if (z.count >= z.limit && !this.#evict(z)) {
      z.refused++
      return CREATE_FULL
    }
    const c = this.#allocate()
    const scope = (zone << 8) | proto
    this.tuples.insert(c << 1, scope, src, dst, tp)
    this.tuples.insert((c << 1) | 1, scope, replySrc, replyDst, replyTp)
    const r = c << RECORD_SHIFT
    this.record[r + R_PROTO] = proto
    this.record[r + R_ZONE] = zone
    this.setOwner(c, -1, -1)
    const tick = this.#ticks(now)
    this.begin(c, F_EVICTABLE | ((proto === PROTO_TCP ? 3 : refresh) * F_REFRESH), tick)
    const expires = tick + this.#idleTicks(z, r)
    this.record[r + R_EXPIRES] = expires
    this.record[r + R_DUE] = this.#wheel.insert(c, expires)
    this.#links.append(proto === PROTO_TCP ? z.halfOpen : z.unreplied, c)
    z.count++
    this.#count++
    this.#tags.touch(this.tupleTag(zone, proto, src, dst, tp))
    this.#tags.touch(this.tupleTag(zone, proto, replySrc, replyDst, replyTp))
    return c
  }

  /**
   * Shows a packet to its connection, as it arrived: untranslated, `l3` and `l4` of the pool set.
   * @returns false when the connection is over and the packet must be translated anew
   */
  packet(connection: number, direction: number, pool: PacketPool, h: number, now: Instant): boolean {
    // Passed on further, an instant would be a number on the heap for each packet.
    return this.#show(connection, direction, pool, h, now === this.#now ? this.#tick : this.#ticks(now))
  }

  #show(connection: number, direction: number, pool: PacketPool, h: number, tick: number): boolean {
    const r = connection << RECORD_SHIFT
    const record = this.record
    const proto = record[r + R_PROTO]
    this.ignored = false
    if (proto === 0) return false
    if (record[r + R_EXPIRES] < tick) {
      this.remove(connection)
      return false
    }
    const before = record[r + R_FLAGS]
    if (proto === PROTO_TCP) {
      const verdict =
        (before & F_HELPED) === 0
          ? trackTcp(record, r, direction, pool.dv, pool.l3[h], pool.l4[h])
          : this.#trackHelped(connection, direction, pool, h)
      if (verdict === TRACK_REOPEN) {
        const anew = direction === 0 && (flagsOf(pool.u8, pool.l4[h]) & FIN) === 0
        if (anew && this.#renew(connection, tick)) return this.#show(connection, 0, pool, h, tick)
        this.remove(connection)
        return false
      }
      if (verdict === TRACK_IGNORE) {
        this.ignored = this.sequenceChecks
        return true
      }
    } else if (direction !== 0) record[r + R_FLAGS] |= F_REPLIED | F_ASSURED
    const flags = record[r + R_FLAGS]
    if (flags !== before && this.over(connection) && !isOver(stateOf(before))) this.#noteClosed(connection)
    if ((flags & ~before & F_REPLIED) !== 0)
      this.#zones[record[r + R_ZONE]].owner.connectionReplied?.(connection)
    if ((flags & (F_ASSURED | F_EVICTABLE)) === (F_ASSURED | F_EVICTABLE)) this.#settle(connection)
    if ((flags & (F_REFRESH << direction)) !== 0) {
      const expires = tick + this.#idleTicks(this.#zones[record[r + R_ZONE]], r)
      record[r + R_EXPIRES] = expires
      if (expires < record[r + R_DUE]) {
        this.#wheel.remove(connection)
        record[r + R_DUE] = this.#wheel.insert(connection, expires)
      }
    }
    return true
  }

  /** Has a connection that is over begin anew, if it may. */
  #renew(connection: number, tick: number): boolean {
    const r = connection << RECORD_SHIFT
    const flags = this.record[r + R_FLAGS]
    if ((flags & (F_RENEWABLE | F_HELPED | F_EXPECTED)) !== F_RENEWABLE) return false
    const { halfOpen } = this.#zones[this.record[r + R_ZONE]]
    if ((flags & F_EVICTABLE) !== 0) this.#links.detach(halfOpen, connection)
    const noted = this.#closed.indexOf(connection)
    if (noted >= 0) this.#closed[noted] = -1
    this.begin(connection, (flags & (F_RENEWABLE | (3 * F_REFRESH))) | F_EVICTABLE, tick)
    this.#links.append(halfOpen, connection)
    return true
  }

  /** Cached decisions about the connection that closed so many before this one make room for those of others. */
  #noteClosed(connection: number): void {
    const gone = this.#closed[this.#closedAt]
    this.#closed[this.#closedAt] = connection
    this.#closedAt = (this.#closedAt + 1) & (CLOSED - 1)
    // Its number may be another's now, which is in use.
    if (gone >= 0 && this.over(gone)) this.#tags.touch(this.tag(gone))
  }

  /** Forgets a connection: its owner is told and cached decisions about it go. */
  remove(connection: number): void {
    const r = connection << RECORD_SHIFT
    const proto = this.record[r + R_PROTO]
    const zone = this.#zones[this.record[r + R_ZONE]]
    zone.owner.connectionRemoved(connection)
    if ((this.record[r + R_FLAGS] & F_HELPED) !== 0) this.helpers.forget(connection)
    this.tuples.remove(connection << 1)
    this.tuples.remove((connection << 1) | 1)
    this.#wheel.remove(connection)
    if ((this.record[r + R_FLAGS] & F_EVICTABLE) !== 0) {
      this.#links.detach(proto === PROTO_TCP ? zone.halfOpen : zone.unreplied, connection)
    }
    this.record[r + R_PROTO] = 0
    zone.count--
    this.#count--
    this.#links.append(this.#freed, connection)
    this.#freedCount++
    this.#tags.touch(this.tag(connection))
  }

  /** Forgets the connections of a zone: all, or those that are `meant`. */
  flush(zone: number, meant: (connection: number) => boolean = () => true): void {
    for (let c = 0; c < this.#fresh; c++) {
      if (this.exists(c) && this.record[(c << RECORD_SHIFT) + R_ZONE] === zone && meant(c)) this.remove(c)
    }
  }

  /** Forgets what has been idle too long. */
  poll(now: Instant): void {
    const tick = this.#ticks(now) - 1
    for (let budget = EXPIRIES_PER_POLL; budget > 0; budget--) {
      const c = this.#wheel.due(tick)
      if (c < 0) return
      const r = c << RECORD_SHIFT
      const expires = this.record[r + R_EXPIRES]
      if (expires <= tick) this.remove(c)
      else {
        this.#wheel.remove(c)
        this.record[r + R_DUE] = this.#wheel.insert(c, expires)
      }
    }
  }

  pollAt(): Instant | undefined {
    const tick = this.#wheel.next()
    return tick < 0 ? undefined : this.#epoch + tick * TICK
  }

  /** One past the highest number ever given to a connection. */
  get end(): number {
    return this.#fresh
  }

  /** When it will be forgotten unless a packet comes. */
  expiresAt(connection: number): Instant {
    return this.#epoch + this.record[(connection << RECORD_SHIFT) + R_EXPIRES] * TICK
  }

  /** The oldest half-open TCP connection of a zone, or -1; then the next younger one. */
  oldestHalfOpen(zone: number): number {
    return this.#zones[zone].halfOpen.head - 1
  }

  nextHalfOpen(connection: number): number {
    return this.#links.next(connection)
  }

  /** A helper may have changed the length of what is acknowledged: it is judged as its sender counts. */
  #trackHelped(connection: number, direction: number, pool: PacketPool, h: number): number {
    const { dv } = pool
    const at = pool.l4[h] + ACK_NUMBER
    const ack = dv.getInt32(at)
    dv.setInt32(at, this.helpers.acknowledged(connection, direction, ack))
    const verdict = trackTcp(this.record, connection << RECORD_SHIFT, direction, dv, pool.l3[h], pool.l4[h])
    dv.setInt32(at, ack)
    return verdict
  }

  #ticks(now: Instant): number {
    if (now !== this.#now) {
      if (Number.isNaN(this.#epoch)) this.#epoch = now
      this.#now = now
      // One tick ahead, so that a span that ends within a tick is over only when the tick is.
      this.#tick = Math.floor((now - this.#epoch) / TICK) + 1
    }
    return this.#tick
  }

  #idleTicks(zone: Zone, r: number): number {
    return zone.idleTicks(this.record[r + R_PROTO], this.record[r + R_STATE], this.record[r + R_FLAGS])
  }

  /** An assured connection is no longer in danger of eviction. */
  #settle(connection: number): void {
    const r = connection << RECORD_SHIFT
    const zone = this.#zones[this.record[r + R_ZONE]]
    this.#links.detach(this.record[r + R_PROTO] === PROTO_TCP ? zone.halfOpen : zone.unreplied, connection)
    this.record[r + R_FLAGS] &= ~F_EVICTABLE
  }

  /** Makes room by forgetting the oldest connection that is not assured. */
  #evict(zone: Zone): boolean {
    const tcp = zone.halfOpen.head - 1
    const other = zone.unreplied.head - 1
    if (tcp < 0 && other < 0) return false
    const takeTcp = other < 0 || (tcp >= 0 && this.#created(tcp) <= this.#created(other))
    this.remove(takeTcp ? tcp : other)
    zone.evicted++
    return true
  }

  #created(connection: number): number {
    return this.record[(connection << RECORD_SHIFT) + R_CREATED]
  }

  #allocate(): number {
    if (this.#freedCount > QUARANTINE || this.#fresh === this.#capacity) {
      const c = this.#freed.head - 1
      this.#links.detach(this.#freed, c)
      this.#freedCount--
      return c
    }
    return this.#fresh++
  }

  /** Makes room for that many connections; pages nobody has written to cost no memory. */
  #reserve(capacity: number): void {
    if (capacity <= this.#capacity) return
    this.#capacity = capacity
    const record = new Int32Array(capacity << RECORD_SHIFT)
    record.set(this.record)
    this.record = record
    this.tuples.reserve(capacity, (c) => this.exists(c))
    this.#links.reserve(capacity)
    this.#wheel.reserve(capacity)
  }
}
