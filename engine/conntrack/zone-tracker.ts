/**
 * Connection tracking for ct(): the routers' own table, with a zone of it for each zone of OpenFlow and address
 * family.
 *
 * ct() asks while a packet is translated. What it learns holds for the flow as long as the connection does:
 * connections that come, go or get another mark touch their tag.
 */
import { W_IPV6_DST, W_IPV6_SRC, W_NW_DST, W_NW_SRC } from '../../protocols/flow-key.ts'
import type { Instant } from '../../protocols/time.ts'
import { finish, mix } from '../flow/hash.ts'
import type { TagListener } from '../ofproto/tags.ts'
import { TAG_CT_TUPLE, tagOf } from '../ofproto/tags.ts'
import { AddressBook } from './address-book.ts'
import type { Conntrack } from './conntrack.ts'
import type { PacketTuple } from './packet-tuple.ts'
import { reverseTp } from './tuple.ts'
import { type ConnectionOwner, DEFAULT_TIMEOUTS } from './zone.ts'

/** Connections of a zone at the most. */
const ZONE_LIMIT = 65_536
/** Zones of the table that ct() may open at the most. */
const MAX_ZONES = 512

/** ct_mark and, most significant word first, ct_label. */
export const MARK_WORDS = 5
const NO_MARK = new Uint32Array(MARK_WORDS)

/** Where answers will come from and go to: addresses as four words (of IPv4 the first), `tp` as in tuple.ts. */
export interface ReplyTuple {
  readonly addresses: Uint32Array
  readonly tp: number
}

export class ZoneTracker implements ConnectionOwner {
  readonly conntrack: Conntrack
  readonly #tags: TagListener
  readonly #book = new AddressBook()
  /** Handles of the table's zones, by zone * 2 and one more for IPv6. */
  readonly #handles = new Map<number, number>()
  readonly #ipv6 = new Set<number>()
  readonly #marks = new Map<number, Uint32Array>()

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
    const back = answer(ipv6, addresses)
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

  /** Forgets the connections of a zone, or of all zones that ct() has opened. */
  flush(zone?: number): void {
    for (const [key, handle] of this.#handles) {
      if (zone === undefined || key >>> 1 === zone) this.conntrack.flush(handle)
    }
  }

  connectionRemoved(connection: number): void {
    this.#marks.delete(connection)
    if (!this.#ipv6.delete(connection)) return
    const { conntrack } = this
    for (const entry of [connection << 1, (connection << 1) | 1]) {
      this.#book.release(conntrack.src(entry))
      this.#book.release(conntrack.dst(entry))
    }
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
function answer(ipv6: boolean, addresses: Uint32Array): Uint32Array {
  const flow = new Uint32Array(W_IPV6_DST + 4)
  if (ipv6) flow.set(addresses, W_IPV6_SRC)
  else {
    flow[W_NW_SRC] = addresses[0]
    flow[W_NW_DST] = addresses[4]
  }
  return flow
}
