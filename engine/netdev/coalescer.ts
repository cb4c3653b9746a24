/**
 * Receive offload in software, for devices that cost a system call a frame and take large ones: consecutive segments
 * of a TCP connection, and datagrams of a UDP flow, leave as one frame that says how to cut it up (GSO). The order
 * within a flow stays; the first frame of a flow in a burst is never held back.
 */
import { put16 } from '../../protocols/wire/big-endian.ts'
import { checksum } from '../../protocols/wire/checksum.ts'
import { GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, type PacketPool, VNET_NEEDS_CSUM } from '../memory/packet-pool.ts'
import { Candidate, ETHERNET_LEN, IPV4_LEN, pseudoHeader, TCP } from './mergeable.ts'
import { OFFLOAD_CSUM, OFFLOAD_TSO4, OFFLOAD_TSO6, OFFLOAD_USO } from './netdev.ts'

/** Flows that are put together side by side. */
const SLOTS = 8
/** Linux takes no more datagrams in one (UDP_MAX_SEGMENTS). */
const MAX_SEGMENTS = 64
/** As long as an IPv4 datagram may be. */
const MAX_LEN = ETHERNET_LEN + 65_535
const NONE = -1
const PSH = 0x08
const TCP_FLAGS = 13
const TCP_CHECKSUM = 16
const UDP_LENGTH = 4
const UDP_CHECKSUM = 6

/** What is joined: nothing, TCP, or UDP as well. */
export type Gro = 'none' | 'tcp' | 'all'

/** Where frames go in the end. */
export interface Output {
  /** OFFLOAD_* bits. */
  readonly offloads: number
  /**
   * Sends one frame; the handle stays the caller's.
   * @param packets how many it stands for
   * @param bytes of all of them, headers included
   */
  write(h: number, packets: number, bytes: number): void
}

export class Coalescer {
  readonly #pool: PacketPool
  readonly #output: Output
  readonly #datagrams: boolean
  readonly #candidate = new Candidate()
  /** Slots in use are the first so many. */
  #used = 0
  #victim = 0
  readonly #addresses = new Int32Array(SLOTS)
  readonly #ports = new Int32Array(SLOTS)
  readonly #protocol = new Uint8Array(SLOTS)
  /** Sequence number that comes next; 0 for UDP. */
  readonly #next = new Uint32Array(SLOTS)
  /** Payload of each segment; 0 when what comes next begins nothing. */
  readonly #size = new Uint16Array(SLOTS)
  /** The frame under construction, or NONE when all that the flow has sent is on its way. */
  readonly #cell = new Int32Array(SLOTS).fill(NONE)
  readonly #segments = new Uint8Array(SLOTS)

  /** @param datagrams join those, too */
  constructor(pool: PacketPool, output: Output, datagrams = true) {
    this.#pool = pool
    this.#output = output
    this.#datagrams = datagrams
  }

  /**
   * Takes a frame over, or leaves it to be sent by itself at once, after whatever must precede it.
   * @returns whether it was taken; the handle stays the caller's
   */
  take(h: number): boolean {
    const candidate = this.#candidate
    candidate.look(this.#pool, h)
    if (!candidate.known) {
      // It may be about any flow: a fragment, an error.
      if (this.#used > 0) this.flush()
      return false
    }
    if (candidate.protocol !== TCP && !this.#datagrams) return false
    let s = this.#slot()
    if (s === NONE) s = this.#emptySlot()
    else if (this.#cell[s] !== NONE) {
      if (this.#append(s, h)) return true
      this.#send(s)
    } else if (this.#begin(s, h)) return true
    this.#remember(s)
    return false
  }

  /** The end of a burst: everything leaves. */
  flush(): void {
    for (let s = 0; s < this.#used; s++) if (this.#cell[s] !== NONE) this.#send(s)
    this.#used = 0
  }

  /** That of the candidate's flow. */
  #slot(): number {
    const { addresses, ports, protocol } = this.#candidate
    for (let s = 0; s < this.#used; s++) {
      if (this.#ports[s] === ports && this.#addresses[s] === addresses && this.#protocol[s] === protocol) {
        return s
      }
    }
    return NONE
  }

  #emptySlot(): number {
    if (this.#used < SLOTS) return this.#used++
    const s = this.#victim
    this.#victim = s + 1 === SLOTS ? 0 : s + 1
    if (this.#cell[s] !== NONE) this.#send(s)
    return s
  }

  /** Notes a frame that is sent by itself, so that the next can be known to follow it. */
  #remember(s: number): void {
    const { addresses, ports, protocol, seq, payload, mergeable } = this.#candidate
    this.#addresses[s] = addresses
    this.#ports[s] = ports
    this.#protocol[s] = protocol
    this.#next[s] = protocol === TCP ? seq + payload : 0
    this.#size[s] = mergeable && this.#cuttable() ? payload : 0
  }

  /** Whether the device can cut up what is made of frames like the candidate. */
  #cuttable(): boolean {
    const { protocol, v6 } = this.#candidate
    const { offloads } = this.#output
    if ((offloads & OFFLOAD_CSUM) === 0) return false
    if (protocol === TCP) return (offloads & (v6 ? OFFLOAD_TSO6 : OFFLOAD_TSO4)) !== 0
    return !v6 && (offloads & OFFLOAD_USO) !== 0
  }

  /** Begins a large frame with one that follows its predecessor and is like it. */
  #begin(s: number, h: number): boolean {
    const { mergeable, seq, payload, pushed } = this.#candidate
    if (!mergeable || pushed || payload !== this.#size[s] || seq !== this.#next[s]) return false
    if (!this.#candidate.intact(this.#pool, h)) return false
    const c = this.#pool.clone(h)
    if (c < 0) return false
    this.#cell[s] = c
    this.#segments[s] = 1
    this.#advance(s)
    return true
  }

  #append(s: number, h: number): boolean {
    const pool = this.#pool
    const candidate = this.#candidate
    const { mergeable, seq, payload, pushed, header, l4 } = candidate
    const c = this.#cell[s]
    if (!mergeable || payload > this.#size[s] || seq !== this.#next[s]) return false
    if (pool.len[c] + payload > MAX_LEN || !candidate.continues(pool, c, h, this.#segments[s])) return false
    if (!candidate.intact(pool, h)) return false
    const from = pool.off[h] + header
    const to = pool.off[c]
    pool.u8.copyWithin(to + pool.len[c], from, from + payload)
    pool.len[c] += payload
    this.#advance(s)
    if (pushed) pool.u8[to + l4 + TCP_FLAGS] |= PSH
    if (++this.#segments[s] === MAX_SEGMENTS || pushed || payload < this.#size[s]) this.#send(s)
    return true
  }

  #advance(s: number): void {
    const { protocol, seq, payload } = this.#candidate
    if (protocol === TCP) this.#next[s] = seq + payload
  }

  #send(s: number): void {
    const c = this.#cell[s]
    const segments = this.#segments[s]
    const headers = segments > 1 ? this.#finish(c, this.#size[s]) : 0
    this.#output.write(c, segments, this.#pool.len[c] + (segments - 1) * headers)
    this.#pool.free(c)
    this.#cell[s] = NONE
  }

  /** Makes a frame of several segments' payload one that says so. @returns bytes of its headers */
  #finish(c: number, size: number): number {
    const pool = this.#pool
    const b = pool.u8
    const o = pool.off[c]
    const len = pool.len[c]
    const l3 = o + ETHERNET_LEN
    const v6 = b[l3] >>> 4 === 6
    const protocol = b[l3 + (v6 ? 6 : 9)]
    const start = ETHERNET_LEN + (v6 ? 40 : IPV4_LEN)
    const l4 = o + start
    const tcp = protocol === TCP
    if (v6) put16(b, l3 + 4, len - start)
    else {
      put16(b, l3 + 2, len - ETHERNET_LEN)
      put16(b, l3 + 10, 0)
      put16(b, l3 + 10, checksum(b, l3, IPV4_LEN))
    }
    if (!tcp) put16(b, l4 + UDP_LENGTH, len - start)
    const field = tcp ? TCP_CHECKSUM : UDP_CHECKSUM
    put16(b, l4 + field, pseudoHeader(b, l3, v6, protocol, len - start))
    pool.vnetFlags[c] = VNET_NEEDS_CSUM
    pool.csumStart[c] = start
    pool.csumOffset[c] = field
    pool.gsoType[c] = tcp ? (v6 ? GSO_TCPV6 : GSO_TCPV4) : GSO_UDP_L4
    pool.gsoSize[c] = size
    return start + (tcp ? (b[l4 + 12] >>> 4) * 4 : 8)
  }
}
