/**
 * Connection tracking for ct(): the routers' own table, with a zone of it for each zone of OpenFlow and address
 * family.
 *
 * ct() asks while a packet is translated. What it learns holds for the flow as long as the connection does:
 * connections that come, go or get another mark touch their tag.
 */
import { W_IPV6_DST, W_IPV6_SRC, W_NW_DST, W_NW_SRC } from '../../protocols/flow-key.ts'
import type { Instant } from '../../protocols/time.ts'
import type { CtLimits } from '../dpif-conntrack.ts'
import { finish, mix } from '../flow/hash.ts'
import type { TagListener } from '../ofproto/tags.ts'
import { TAG_CONNECTION, TAG_CT_TUPLE, tagOf } from '../ofproto/tags.ts'
import { AddressBook } from './address-book.ts'
import type { Conntrack } from './conntrack.ts'
import type { Expectation } from './expectations.ts'
import type { HelpedZone } from './helpers.ts'
import { originalTuple } from './original-tuple.ts'
import type { PacketTuple } from './packet-tuple.ts'
import { reverseTp } from './tuple.ts'
import { type ConnectionOwner, DEFAULT_TIMEOUTS } from './zone.ts'

/** Connections of a zone at the most. */
const ZONE_LIMIT = 65_536
/** Zones of the table that ct() may open at the most. */
const MAX_ZONES = 512

/** As in Open vSwitch, unless set otherwise. */
const MAX_CONNECTIONS = 3_000_000

/** ct_mark and, most significant word first, ct_label. */
export const MARK_WORDS = 5
const NO_MARK = new Uint32Array(MARK_WORDS)

/** Where answers will come from and go to: addresses as four words (of IPv4 the first), `tp` as in tuple.ts. */
export interface ReplyTuple {
  readonly addresses: Uint32Array
  readonly tp: number
}

export class ZoneTracker implements ConnectionOwner, HelpedZone {
  readonly conntrack: Conntrack
  /** Set as it pleases; holds for connections to come. */
  limits: CtLimits = { connections: MAX_CONNECTIONS, zone: 0, zones: new Map() }
  readonly #tags: TagListener
  readonly #book = new AddressBook()
  /** Handles of the table's zones, by zone * 2 and one more for IPv6. */
  readonly #handles = new Map<number, number>()
  readonly #ipv6 = new Set<number>()
  readonly #marks = new Map<number, Uint32Array>()
  /** Of connections that were expected: the ct tuple of their master, the words from W_CT_NW_SRC on. */
  readonly #masters = new Map<number, Uint32Array>()

  constructor(conntrack: Conntrack, tags: TagListener) {
    this.conntrack = conntrack
    this.#tags = tags
  }

  /** connection * 2 + direction, or -1. */
  lookup(zone: number, { ipv6, proto, tp }: PacketTuple, flow: Uint32Array): number {
    const handle = this.#handles.get(zone * 2 + (ipv6 ? 1 : 0))
    if (handle === undefined) return -1
    if (!ipv6) return this.conntrack.lookup(handle, proto, flow[W_NW_SRC], flow[W_NW_DST], tp)
    const src = this.#book.find(flow, W_IPV6_SRC)
    const dst = this.#book.find(flow, W_IPV6_DST)
    return src === 0 || dst === 0 ? -1 : this.conntrack.lookup(handle, proto, src, dst, tp)
  }

  /** The same for a packet that has the addresses and ports of its connection's other side already. */
  lookupBack(zone: number, { ipv6, proto, tp }: PacketTuple, flow: Uint32Array): number {
    const back = new Uint32Array(W_IPV6_DST + 4)
    if (ipv6) {
      back.set(flow.subarray(W_IPV6_DST, W_IPV6_DST + 4), W_IPV6_SRC)
      back.set(flow.subarray(W_IPV6_SRC, W_IPV6_SRC + 4), W_IPV6_DST)
    } else {
      back[W_NW_SRC] = flow[W_NW_DST]
      back[W_NW_DST] = flow[W_NW_SRC]
    }
    const entry = this.lookup(zone, { ipv6, proto, tp: reverseTp(proto, tp) }, back)
    return entry < 0 ? -1 : entry ^ 1
  }

  /** The tag of decisions that found a connection without an answer. */
  replyTag(connection: number): number {
    return tagOf(TAG_CONNECTION, connection, 1, 0)
  }

  connectionReplied(connection: number): void {
    this.#tags.touch(this.replyTag(connection))
  }

  /** The tag of decisions that found no connection for a flow. */
  missTag(zone: number, { ipv6, proto, tp }: PacketTuple, flow: Uint32Array): number {
    let hash = mix(zone, proto)
    const [src, dst, words] = ipv6 ? [W_IPV6_SRC, W_IPV6_DST, 4] : [W_NW_SRC, W_NW_DST, 1]
    for (let i = 0; i < words; i++) hash = mix(mix(hash, flow[src + i]), flow[dst + i])
    return tagOf(TAG_CT_TUPLE, finish(hash), tp, 0)
  }

  /**
   * A new connection, whose first packet is as `flow` says.
   * @param reply its answers
   * @returns the connection, or a negative number: no room, or the answers are another's
   */
  create(zone: number, tuple: PacketTuple, flow: Uint32Array, reply: ReplyTuple, now: Instant): number {
    const { ipv6, proto, tp } = tuple
    if (this.#full(zone)) return -1
    const handle = this.#open(zone * 2 + (ipv6 ? 1 : 0))
    if (handle < 0) return -1
    const { addresses } = reply
    const ids = ipv6
      ? [
          this.#book.hold(flow, W_IPV6_SRC),
          this.#book.hold(flow, W_IPV6_DST),
          this.#book.hold(addresses, 0),
          this.#book.hold(addresses, 4),
        ]
      : [flow[W_NW_SRC], flow[W_NW_DST], addresses[0], addresses[4]]
    const [src, dst, replySrc, replyDst] = ids
    const made = this.conntrack.create(handle, proto, src, dst, tp, replySrc, replyDst, reply.tp, 3, now)
    if (made < 0) {
      if (ipv6) for (const id of ids) this.#book.release(id)
      return made
    }
    if (ipv6) this.#ipv6.add(made)
    this.#tags.touch(this.missTag(zone, tuple, flow))
    const back = wordsOfFlow(ipv6, addresses)
    this.#tags.touch(this.missTag(zone, { ipv6, proto, tp: reply.tp }, back))
    return made
  }

  /** Four words each of source and destination, as packets of an entry (connection * 2 + direction) have them. */
  addresses(entry: number): Uint32Array {
    const words = new Uint32Array(8)
    const { conntrack } = this
    if (this.#ipv6.has(entry >>> 1)) {
      words.set(this.#book.wordsOf(conntrack.src(entry)), 0)
      words.set(this.#book.wordsOf(conntrack.dst(entry)), 4)
    } else {
      words[0] = conntrack.src(entry)
      words[4] = conntrack.dst(entry)
    }
    return words
  }

  isIpv6(connection: number): boolean {
    return this.#ipv6.has(connection)
  }

  /** Whether answers to a connection are not simply its packets reversed. */
  translated(connection: number): { source: boolean; destination: boolean } {
    const forward = connection << 1
    const back = forward | 1
    const { conntrack } = this
    const a = this.addresses(forward)
    const b = this.addresses(back)
    const tp = reverseTp(conntrack.proto(connection), conntrack.tp(back))
    const own = conntrack.tp(forward)
    return {
      source: !sameAddress(a, 0, b, 4) || own >>> 16 !== tp >>> 16,
      destination: !sameAddress(a, 4, b, 0) || (own & 0xffff) !== (tp & 0xffff),
    }
  }

  expect(connection: number, direction: number, port: number, told: number, now: Instant): number {
    const { conntrack } = this
    const comes = (connection << 1) | (direction ^ 1)
    const answered = (connection << 1) | direction
    const handle = conntrack.zoneOf(connection)
    const proto = conntrack.proto(connection)
    const seen = told < 0 ? port : told
    conntrack.helpers.expectations.add(
      {
        zone: handle,
        proto,
        src: conntrack.src(comes),
        dst: conntrack.dst(comes),
        port: seen,
        master: connection,
        replySrc: conntrack.src(answered),
        replyDst: conntrack.dst(answered),
        replyPort: port,
        marks: this.marks(connection).slice(),
        original: this.originalTuple(connection),
      },
      now,
    )
    const ipv6 = this.isIpv6(connection)
    const flow = wordsOfFlow(ipv6, this.addresses(comes))
    this.#tags.touch(this.expectationTag(this.zoneOf(handle), { ipv6, proto, tp: seen }, flow))
    return seen
  }

  /** What a packet of no connection was announced as, if it was. */
  expected(zone: number, { ipv6, proto, tp }: PacketTuple, flow: Uint32Array, now: Instant) {
    const handle = this.#handles.get(zone * 2 + (ipv6 ? 1 : 0))
    const { expectations } = this.conntrack.helpers
    if (handle === undefined || expectations.count === 0) return undefined
    const src = ipv6 ? this.#book.find(flow, W_IPV6_SRC) : flow[W_NW_SRC]
    const dst = ipv6 ? this.#book.find(flow, W_IPV6_DST) : flow[W_NW_DST]
    return expectations.find(handle, proto, src, dst, tp & 0xffff, now)
  }

  /** The tag of decisions that found nothing announced. */
  expectationTag(zone: number, tuple: PacketTuple, flow: Uint32Array): number {
    return this.missTag(zone, { ...tuple, tp: tuple.tp & 0xffff }, flow)
  }

  /** What answers to an expected connection will look like, translated as its master is. */
  expectedReply(e: Expectation, { ipv6, tp }: PacketTuple): ReplyTuple {
    const addresses = new Uint32Array(8)
    for (const [i, address] of [e.replySrc, e.replyDst].entries()) {
      if (ipv6) addresses.set(this.#book.wordsOf(address), 4 * i)
      else addresses[4 * i] = address
    }
    return { addresses, tp: ((e.replyPort << 16) | (tp >>> 16)) >>> 0 }
  }

  /** An expected connection has come about. */
  relate(connection: number, e: Expectation): void {
    this.conntrack.helpers.expectations.remove(e)
    this.#masters.set(connection, e.original!)
    this.#marks.set(connection, e.marks!)
  }

  related(connection: number): boolean {
    return this.#masters.has(connection)
  }

  /** The ct tuple of a connection, or of the master of one that was expected; see original-tuple.ts. */
  originalTuple(connection: number): Uint32Array {
    const masters = this.#masters.get(connection)
    if (masters !== undefined) return masters
    const { conntrack } = this
    const forward = connection << 1
    return originalTuple(
      this.isIpv6(connection),
      this.addresses(forward),
      conntrack.proto(connection),
      conntrack.tp(forward),
    )
  }

  /** ct_mark and ct_label of a connection. */
  marks(connection: number): Uint32Array {
    return this.#marks.get(connection) ?? NO_MARK
  }

  setMarks(connection: number, marks: Uint32Array): void {
    const old = this.marks(connection)
    if (marks.every((word, i) => word === old[i])) return
    this.#marks.set(connection, marks)
    this.#tags.touch(this.conntrack.tag(connection))
  }

  /** Forgets the connections of a zone, or of all zones that ct() has opened: all, or those that are `meant`. */
  flush(zone?: number, meant: (connection: number) => boolean = () => true): void {
    for (const [key, handle] of this.#handles) {
      if (zone === undefined || key >>> 1 === zone) this.conntrack.flush(handle, meant)
    }
  }

  connectionRemoved(connection: number): void {
    this.#marks.delete(connection)
    this.#masters.delete(connection)
    if (!this.#ipv6.delete(connection)) return
    const { conntrack } = this
    for (const entry of [connection << 1, (connection << 1) | 1]) {
      this.#book.release(conntrack.src(entry))
      this.#book.release(conntrack.dst(entry))
    }
  }

  /** The zone of ct() that a zone of the table is for, or -1. */
  zoneOf(handle: number): number {
    for (const [key, known] of this.#handles) if (known === handle) return key >>> 1
    return -1
  }

  /** Asked for every new connection: all zones are only gone through when the whole table holds as many. */
  #full(zone: number): boolean {
    const { connections, zone: usual, zones } = this.limits
    const limit = zones.get(zone) ?? usual
    if (limit > 0 && this.#count(zone * 2) + this.#count(zone * 2 + 1) >= limit) return true
    if (this.conntrack.count < connections) return false
    let count = 0
    for (const key of this.#handles.keys()) count += this.#count(key)
    return count >= connections
  }

  /** Connections of one address family in a zone, by its key. */
  #count(key: number): number {
    const handle = this.#handles.get(key)
    return handle === undefined ? 0 : this.conntrack.zone(handle).count
  }

  #open(key: number): number {
    const known = this.#handles.get(key)
    if (known !== undefined) return known
    if (this.#handles.size === MAX_ZONES && !this.#closeEmpty()) return -1
    const handle = this.conntrack.openZone(this, { limit: ZONE_LIMIT, timeouts: DEFAULT_TIMEOUTS })
    this.#handles.set(key, handle)
    return handle
  }

  #closeEmpty(): boolean {
    for (const [key, handle] of this.#handles) {
      if (this.conntrack.zone(handle).count > 0) continue
      this.conntrack.closeZone(handle)
      this.#handles.delete(key)
      return true
    }
    return false
  }
}

function sameAddress(a: Uint32Array, at: number, b: Uint32Array, bt: number): boolean {
  for (let i = 0; i < 4; i++) if (a[at + i] !== b[bt + i]) return false
  return true
}

/** Addresses in the words of a flow. */
function wordsOfFlow(ipv6: boolean, addresses: Uint32Array): Uint32Array {
  const flow = new Uint32Array(W_IPV6_DST + 4)
  if (ipv6) flow.set(addresses, W_IPV6_SRC)
  else {
    flow[W_NW_SRC] = addresses[0]
    flow[W_NW_DST] = addresses[4]
  }
  return flow
}
