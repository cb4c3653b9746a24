/**
 * Putting fragments together: RFC 791 §3.2, RFC 8200 §4.5, RFC 815 in its purpose, with a bitmap of 8-byte units in place of
 * its list of holes.
 *
 * Fragments that overlap are an attack or a fault; the datagram they belong to is given up whole, pieces still
 * to come included (RFC 5722 §4, which says so for IPv6). The very same fragment twice is neither.
 *
 * Each datagram under way holds one cell of the pool, and one more for each piece where pieces are kept; the
 * number of either is bounded, and the oldest makes room.
 */

import { type Duration, type Instant, SECOND } from '../protocols/time.ts'
import { put16, u16 } from '../protocols/wire/big-endian.ts'
import * as ipv4 from '../protocols/wire/ipv4.ts'
import { HEADER_LEN as IPV6_HEADER, PAYLOAD_LENGTH } from '../protocols/wire/ipv6.ts'
import {
  DROP_FRAGMENT_OVERLAP,
  DROP_FRAGMENT_TABLE,
  DROP_FRAGMENT_TIMEOUT,
  DROP_NO_CELLS,
  DROP_ROUTER_BAD_HEADER,
} from './drops.ts'
import { type Fragment, makeFragment, readFragment } from './fragment-header.ts'
import { CELL_STRIDE, HEADROOM, type PacketPool } from './memory/packet-pool.ts'

/** Time a datagram has to become whole, from its first fragment on. */
export const REASSEMBLY_TIME: Duration = 30 * SECOND
/** Datagrams under way at the most. */
export const MAX_DATAGRAMS = 256

/** What it asks of the datapath. */
export interface ReassemblyHost {
  readonly pool: PacketPool
  readonly now: Instant
  drop(reason: number, h: number): void
}

export interface ReassemblyOptions {
  readonly time: Duration
  /** Whether copies of the fragments are kept, to go on when the whole is known. */
  readonly keepPieces: boolean
  /**
   * Told of a datagram that did not become whole in time and whose first fragment came.
   * @param context as given to `add` with its first piece to arrive
   */
  readonly expired: (context: number, cell: number) => void
  /**
   * Told when pieces are kept no longer.
   * @param version 0 for IPv4, 1 for IPv6
   * @param reason 0 when they have become a whole, or one of DROP_*
   */
  readonly released?: (version: 0 | 1, pieces: number, reason: number) => void
}

/** A fragment put by: a packet of the pool, and what `add` was told of it. */
export interface Piece {
  readonly h: number
  readonly context: number
}

const UNIT = 8
const WORDS = 65_536 / UNIT / 32
/** Room for headers in front of the payload, of which there is less than a datagram's maximum. */
const HEADERS = 192
const PAYLOAD = HEADROOM + HEADERS
const LONGEST = 65_535 - ipv4.HEADER_LEN

interface Datagram {
  readonly key: string
  readonly version: 0 | 1
  readonly context: number
  readonly due: Instant
  /** Cell that collects it, or -1 once it has been given up. */
  cell: number
  /** Payload bytes of the whole, known from the last fragment; -1 before. */
  total: number
  /** Units there. */
  have: number
  /** Highest byte there. */
  reach: number
  /** Whether the first fragment, and with it the header, is there. */
  first: boolean
  readonly units: Uint32Array
  pieces: Piece[]
}

export class Reassembly {
  readonly #host: ReassemblyHost
  readonly #options: ReassemblyOptions
  readonly #limit: number
  /** In order of their due times. */
  readonly #datagrams = new Map<string, Datagram>()
  readonly #spare: Uint32Array[] = []
  readonly #fragment = makeFragment()
  #pieces = 0
  /** Pieces kept at the most, within what the pool allows. */
  maxPieces = Number.POSITIVE_INFINITY
  /** After `add` has answered with a whole: its pieces, where they are kept, the caller's to free. */
  pieces: Piece[] = []

  constructor(host: ReassemblyHost, options: ReassemblyOptions) {
    this.#host = host
    this.#options = options
    this.#limit = Math.max(1, Math.min(MAX_DATAGRAMS, host.pool.cells >>> 3))
  }

  /** Pieces that are kept. */
  get held(): number {
    return this.#pieces
  }

  /** Datagrams under way. */
  get size(): number {
    return this.#datagrams.size
  }

  /**
   * Takes in a fragment whose `l3` is set. The packet stays the caller's.
   * @param scope fragments of different scopes have nothing to do with each other
   * @param context for `expired`, and for its piece
   * @returns the whole datagram behind its link-layer header, the caller's to free, or -1 while there is none
   */
  add(scope: number, context: number, h: number): number {
    const { pool, now } = this.#host
    const b = pool.u8
    const f = this.#fragment
    if (!readFragment(b, pool.l3[h], pool.off[h] + pool.len[h], f) || !this.#mayBe(f, h)) {
      this.#host.drop(DROP_ROUTER_BAD_HEADER, h)
      return -1
    }
    const { offset, size } = f
    const key = `${scope} ${f.key}`
    const version = b[pool.l3[h]] >>> 4 === 6 ? 1 : 0
    const d = this.#datagrams.get(key) ?? this.#begin(key, version, context, now)
    if (d === undefined) {
      this.#host.drop(DROP_NO_CELLS, h)
      return -1
    }
    if (d.cell < 0 || !this.#fits(d, f)) {
      this.#host.drop(DROP_FRAGMENT_OVERLAP, h)
      this.#giveUp(d, DROP_FRAGMENT_OVERLAP)
      return -1
    }
    const base = d.cell * CELL_STRIDE + PAYLOAD
    const taken = this.#mark(d, offset, size)
    if (taken !== 0) {
      // The same again is a duplicate; anything else that lies where something lies is not to be trusted.
      if (taken === Math.ceil(size / UNIT) && equal(b, base + offset, f.payload, size)) return -1
      this.#host.drop(DROP_FRAGMENT_OVERLAP, h)
      this.#giveUp(d, DROP_FRAGMENT_OVERLAP)
      return -1
    }
    if (this.#options.keepPieces && !this.#keep(d, context, h)) return -1
    b.copyWithin(base + offset, f.payload, f.payload + size)
    if (!f.more) d.total = offset + size
    d.reach = Math.max(d.reach, offset + size)
    if (offset === 0) this.#takeHeader(d, f, base, h)
    if (d.total < 0 || !d.first || d.have < Math.ceil(d.total / UNIT)) return -1
    return this.#finish(d)
  }

  /** Gives up what has not become whole in time. */
  poll(now: Instant): void {
    for (const d of this.#datagrams.values()) {
      if (d.due > now) return
      if (d.cell >= 0) {
        if (d.first) this.#options.expired(d.context, d.cell)
        this.#host.drop(DROP_FRAGMENT_TIMEOUT, d.cell)
      }
      this.#giveUp(d, DROP_FRAGMENT_TIMEOUT)
      this.#forget(d)
    }
  }

  pollAt(): Instant | undefined {
    // Asked in every turn of the dataplane: no iterator is made for nothing.
    if (this.#datagrams.size === 0) return undefined
    for (const d of this.#datagrams.values()) return d.due
    return undefined
  }

  #mayBe({ offset, size, more, headerEnd }: Fragment, h: number): boolean {
    if (size === 0 || offset + size > LONGEST || (more && size % UNIT !== 0)) return false
    return headerEnd - this.#host.pool.off[h] <= HEADERS
  }

  /** Puts a copy of a fragment by. @returns false when there is no room, and all of it has been given up */
  #keep(d: Datagram, context: number, h: number): boolean {
    const { pool } = this.#host
    const limit = Math.min(this.#limit, this.maxPieces)
    while (this.#pieces >= limit) {
      const [oldest] = this.#datagrams.values()
      if (oldest === d) break
      this.#makeRoom()
    }
    const copy = this.#pieces < limit ? pool.clone(h) : -1
    if (copy < 0) {
      this.#host.drop(DROP_FRAGMENT_TABLE, h)
      this.#giveUp(d, DROP_FRAGMENT_TABLE)
      return false
    }
    d.pieces.push({ h: copy, context })
    this.#pieces++
    return true
  }

  /** Headers of the first fragment stand in front of the whole; a fragment header of IPv6 goes. */
  #takeHeader(d: Datagram, f: Fragment, base: number, h: number): void {
    const { pool } = this.#host
    const length = f.headerEnd - pool.off[h]
    const frame = base - length
    d.first = true
    pool.u8.copyWithin(frame, pool.off[h], f.headerEnd)
    if (f.nextAt !== 0) pool.u8[frame + f.nextAt - pool.off[h]] = f.nextHeader
    pool.off[d.cell] = frame
    pool.l3[d.cell] = frame + pool.l3[h] - pool.off[h]
    pool.len[d.cell] = length + f.size
    pool.inPort[d.cell] = pool.inPort[h]
  }

  #makeRoom(): void {
    for (const oldest of this.#datagrams.values()) {
      if (oldest.cell >= 0) this.#host.drop(DROP_FRAGMENT_TABLE, oldest.cell)
      this.#giveUp(oldest, DROP_FRAGMENT_TABLE)
      this.#forget(oldest)
      return
    }
  }

  #begin(key: string, version: 0 | 1, context: number, now: Instant): Datagram | undefined {
    if (this.#datagrams.size >= this.#limit) this.#makeRoom()
    const cell = this.#host.pool.alloc()
    if (cell < 0) return undefined
    const units = this.#spare.pop() ?? new Uint32Array(WORDS)
    const due = now + this.#options.time
    const known = { cell, total: -1, have: 0, reach: 0, first: false, units, pieces: [] }
    const d: Datagram = { key, version, context, due, ...known }
    this.#datagrams.set(key, d)
    return d
  }

  /** Whether a fragment agrees with what is known of the whole's length. */
  #fits(d: Datagram, { offset, size, more }: Fragment): boolean {
    const end = offset + size
    if (d.total >= 0) return more ? end <= d.total : end === d.total
    return more || end >= d.reach
  }

  /** Marks the units of a fragment as there. @returns how many were already */
  #mark(d: Datagram, offset: number, size: number): number {
    let taken = 0
    const end = Math.ceil((offset + size) / UNIT)
    for (let u = offset / UNIT; u < end; u++) {
      const bit = 1 << (u & 31)
      if ((d.units[u >>> 5] & bit) !== 0) taken++
      else {
        d.units[u >>> 5] |= bit
        d.have++
      }
    }
    return taken
  }

  #finish(d: Datagram): number {
    const { pool } = this.#host
    const b = pool.u8
    const { cell } = d
    const ip = pool.l3[cell]
    const version6 = b[ip] >>> 4 === 6
    const header = cell * CELL_STRIDE + PAYLOAD - ip
    const total = header + d.total
    d.cell = -1
    this.pieces = d.pieces
    this.#pieces -= d.pieces.length
    d.pieces = []
    this.#options.released?.(d.version, this.pieces.length, 0)
    this.#forget(d)
    if (total - (version6 ? IPV6_HEADER : 0) > 65_535) {
      this.#host.drop(DROP_ROUTER_BAD_HEADER, cell)
      for (const { h } of this.pieces) pool.free(h)
      pool.free(cell)
      return -1
    }
    if (version6) put16(b, ip + PAYLOAD_LENGTH, total - IPV6_HEADER)
    else {
      put16(b, ip + ipv4.TOTAL_LENGTH, total)
      // It was fragmented once and may be again: DF does not outlive the fragments.
      put16(b, ip + ipv4.FRAGMENT, u16(b, ip + ipv4.FRAGMENT) & ~(ipv4.DF | ipv4.MF | ipv4.OFFSET_MASK))
      ipv4.fillChecksum(b, ip)
    }
    pool.len[cell] = ip + total - pool.off[cell]
    return cell
  }

  /** Frees the cells; the entry stays, so that fragments still to come find that it is over. */
  #giveUp(d: Datagram, reason: number): void {
    const { pool } = this.#host
    this.#options.released?.(d.version, d.pieces.length, reason)
    if (d.cell >= 0) pool.free(d.cell)
    d.cell = -1
    for (const { h } of d.pieces) pool.free(h)
    this.#pieces -= d.pieces.length
    d.pieces = []
  }

  #forget(d: Datagram): void {
    this.#datagrams.delete(d.key)
    d.units.fill(0)
    if (this.#spare.length < this.#limit) this.#spare.push(d.units)
  }
}

function equal(b: Uint8Array, x: number, y: number, len: number): boolean {
  for (let i = 0; i < len; i++) if (b[x + i] !== b[y + i]) return false
  return true
}
