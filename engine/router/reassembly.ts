/**
 * Putting fragments together: RFC 791 §3.2, RFC 815 in its purpose, with a bitmap of 8-byte units in place of
 * its list of holes.
 *
 * Fragments that overlap are an attack or a fault; the datagram they belong to is given up whole, pieces still
 * to come included (RFC 5722 §4, which says so for IPv6). The very same fragment twice is neither.
 *
 * Each datagram under way holds one cell of the pool; their number is bounded, and the oldest makes room.
 */

import { type Duration, type Instant, SECOND } from '../../protocols/time.ts'
import { put16, u16 } from '../../protocols/wire/big-endian.ts'
import { HEADER_LEN as ETHERNET } from '../../protocols/wire/ethernet.ts'
import { REASSEMBLY_EXCEEDED, TIME_EXCEEDED } from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import {
  DROP_FRAGMENT_OVERLAP,
  DROP_FRAGMENT_TABLE,
  DROP_FRAGMENT_TIMEOUT,
  DROP_NO_CELLS,
  DROP_ROUTER_BAD_HEADER,
} from '../drops.ts'
import { CELL_STRIDE, HEADROOM } from '../memory/packet-pool.ts'
import type { IcmpErrors } from './icmp-error.ts'
import type { RouterHost } from './router-host.ts'

/** Time a datagram has to become whole, from its first fragment on. */
export const REASSEMBLY_TIME: Duration = 30 * SECOND
/** Datagrams under way at the most. */
export const MAX_DATAGRAMS = 256

const UNIT = 8
const WORDS = 65_536 / UNIT / 32
/** Payload lies here in the cell, whatever the length of the header before it. */
const PAYLOAD = HEADROOM + ETHERNET + ipv4.HEADER_MAX
const LONGEST = 65_535 - ipv4.HEADER_LEN

interface Datagram {
  readonly key: string
  readonly iface: number
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
}

export class Reassembly {
  readonly #host: RouterHost
  readonly #errors: IcmpErrors
  readonly #limit: number
  /** In order of their due times. */
  readonly #datagrams = new Map<string, Datagram>()
  readonly #spare: Uint32Array[] = []

  constructor(host: RouterHost, errors: IcmpErrors) {
    this.#host = host
    this.#errors = errors
    this.#limit = Math.max(1, Math.min(MAX_DATAGRAMS, host.pool.cells >>> 3))
  }

  /** Datagrams under way. */
  get size(): number {
    return this.#datagrams.size
  }

  /**
   * Takes in a fragment that reached interface `iface` of the router with that index. The packet stays the
   * caller's.
   * @returns the whole datagram as an Ethernet frame, the caller's to free, or -1 while there is none
   */
  add(router: number, iface: number, h: number): number {
    const { pool, now } = this.#host
    const b = pool.u8
    const ip = pool.off[h] + ETHERNET
    if (!ipv4.check(b, ip, pool.off[h] + pool.len[h])) {
      this.#host.drop(DROP_ROUTER_BAD_HEADER, h)
      return -1
    }
    const offset = ipv4.fragmentOffset(b, ip)
    const size = ipv4.totalLength(b, ip) - ipv4.headerLength(b, ip)
    const more = ipv4.moreFragments(b, ip)
    if (size === 0 || offset + size > LONGEST || (more && size % UNIT !== 0)) {
      this.#host.drop(DROP_ROUTER_BAD_HEADER, h)
      return -1
    }
    const key = `${router} ${ipv4.src(b, ip)} ${ipv4.dst(b, ip)} ${ipv4.protocol(b, ip)} ${ipv4.identification(b, ip)}`
    const d = this.#datagrams.get(key) ?? this.#begin(key, iface, now)
    if (d === undefined) {
      this.#host.drop(DROP_NO_CELLS, h)
      return -1
    }
    if (d.cell < 0 || !this.#fits(d, offset, size, more)) {
      this.#host.drop(DROP_FRAGMENT_OVERLAP, h)
      this.#giveUp(d)
      return -1
    }
    const base = d.cell * CELL_STRIDE + PAYLOAD
    const taken = this.#mark(d, offset, size)
    if (taken !== 0) {
      // The same again is a duplicate; anything else that lies where something lies is not to be trusted.
      if (taken === Math.ceil(size / UNIT) && equal(b, base + offset, ipv4.payload(b, ip), size)) return -1
      this.#host.drop(DROP_FRAGMENT_OVERLAP, h)
      this.#giveUp(d)
      return -1
    }
    b.copyWithin(base + offset, ipv4.payload(b, ip), ipv4.end(b, ip))
    if (!more) d.total = offset + size
    d.reach = Math.max(d.reach, offset + size)
    if (offset === 0) {
      d.first = true
      const frame = base - ipv4.headerLength(b, ip) - ETHERNET
      b.copyWithin(frame, pool.off[h], ipv4.payload(b, ip))
      pool.off[d.cell] = frame
      pool.len[d.cell] = ipv4.end(b, ip) - pool.off[h]
      pool.inPort[d.cell] = pool.inPort[h]
    }
    if (d.total < 0 || !d.first || d.have < Math.ceil(d.total / UNIT)) return -1
    return this.#finish(d)
  }

  /** Gives up what has not become whole in time; its sender learns it if the first fragment came. */
  poll(now: Instant): void {
    for (const d of this.#datagrams.values()) {
      if (d.due > now) return
      if (d.cell >= 0) {
        if (d.first) this.#errors.about(d.iface, d.cell, TIME_EXCEEDED, REASSEMBLY_EXCEEDED, 0)
        this.#host.drop(DROP_FRAGMENT_TIMEOUT, d.cell)
      }
      this.#giveUp(d)
      this.#forget(d)
    }
  }

  pollAt(): Instant | undefined {
    // Asked in every turn of the dataplane: no iterator is made for nothing.
    if (this.#datagrams.size === 0) return undefined
    for (const d of this.#datagrams.values()) return d.due
    return undefined
  }

  #begin(key: string, iface: number, now: Instant): Datagram | undefined {
    if (this.#datagrams.size >= this.#limit) {
      for (const oldest of this.#datagrams.values()) {
        if (oldest.cell >= 0) this.#host.drop(DROP_FRAGMENT_TABLE, oldest.cell)
        this.#giveUp(oldest)
        this.#forget(oldest)
        break
      }
    }
    const cell = this.#host.pool.alloc()
    if (cell < 0) return undefined
    const units = this.#spare.pop() ?? new Uint32Array(WORDS)
    const due = now + REASSEMBLY_TIME
    const d: Datagram = { key, iface, due, cell, total: -1, have: 0, reach: 0, first: false, units }
    this.#datagrams.set(key, d)
    return d
  }

  /** Whether a fragment agrees with what is known of the whole's length. */
  #fits(d: Datagram, offset: number, size: number, more: boolean): boolean {
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
    const ip = pool.off[d.cell] + ETHERNET
    const total = ipv4.headerLength(b, ip) + d.total
    const cell = d.cell
    d.cell = -1
    this.#forget(d)
    if (total > 65_535) {
      this.#host.drop(DROP_ROUTER_BAD_HEADER, cell)
      pool.free(cell)
      return -1
    }
    put16(b, ip + ipv4.TOTAL_LENGTH, total)
    // It was fragmented once and may be again: DF does not outlive the fragments.
    put16(b, ip + ipv4.FRAGMENT, u16(b, ip + ipv4.FRAGMENT) & ~(ipv4.DF | ipv4.MF | ipv4.OFFSET_MASK))
    ipv4.fillChecksum(b, ip)
    pool.len[cell] = ETHERNET + total
    return cell
  }

  /** Frees the cell; the entry stays, so that fragments still to come find that it is over. */
  #giveUp(d: Datagram): void {
    if (d.cell >= 0) this.#host.pool.free(d.cell)
    d.cell = -1
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
