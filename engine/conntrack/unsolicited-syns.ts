/**
 * Unsolicited inbound SYNs, RFC 5382 REQ-4: a NAT must keep silent for six seconds, because the endpoint
 * inside may be about to send a SYN of its own (simultaneous open) that an error would spoil; if it does not,
 * the sender is told that the port is unreachable.
 *
 * Memory is bounded: when as many SYNs wait as there are places, others are just dropped, which REQ-4a allows
 * and a flood deserves.
 */

import { W_NW_DST, W_NW_SRC } from '../../protocols/flow-key.ts'
import type { Duration, Instant } from '../../protocols/time.ts'
import { put32, put48 } from '../../protocols/wire/big-endian.ts'
import { dlDst, dlSrc } from '../flow/fields.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import type { RouterHost } from '../router/router-host.ts'
import type { Conntrack } from './conntrack.ts'
import { PROTO_TCP } from './tuple.ts'

/** Answers a packet that reached an interface with ICMP port unreachable; the packet stays the caller's. */
export type PortUnreachable = (h: number, iface: number) => void

/** How long the NAT keeps silent. */
export const SYN_SILENCE: Duration = 6000
const PLACES = 256
/** Frames longer than a place are not answered. A SYN without data is at most 14 + 60 + 60 bytes. */
const PLACE_BYTES = 256

export class UnsolicitedSyns {
  readonly #frames = new Uint8Array(PLACES * PLACE_BYTES)
  readonly #length = new Uint16Array(PLACES)
  readonly #due = new Float64Array(PLACES)
  readonly #iface = new Int32Array(PLACES)
  readonly #inPort = new Int32Array(PLACES)
  readonly #host: RouterHost
  readonly #conntrack: Conntrack
  readonly #answer: PortUnreachable
  #head = 0
  #count = 0

  constructor(host: RouterHost, conntrack: Conntrack, answer: PortUnreachable) {
    this.#host = host
    this.#conntrack = conntrack
    this.#answer = answer
  }

  /** Remembers the SYN being translated. */
  add(x: Xlate, iface: number): void {
    if (this.#count === PLACES || x.handle < 0) return
    const { pool, now } = this.#host
    const l3 = pool.l3[x.handle]
    if (l3 === 0) return
    const length = 14 + pool.dv.getUint16(l3 + 2)
    if (length > PLACE_BYTES) return
    // A router before this one may have pending rewrites; then the bytes are not the packet that came here.
    if (pool.dv.getUint32(l3 + 12) !== x.flow[W_NW_SRC] || pool.dv.getUint32(l3 + 16) !== x.flow[W_NW_DST])
      return
    if (this.#waits(pool, l3)) return
    const place = (this.#head + this.#count) % PLACES
    const at = place * PLACE_BYTES
    put48(this.#frames, at, dlDst(x.flow))
    put48(this.#frames, at + 6, dlSrc(x.flow))
    put32(this.#frames, at + 12, 0x0800_0000)
    this.#frames.set(pool.u8.subarray(l3, l3 + length - 14), at + 14)
    this.#length[place] = length
    this.#due[place] = now + SYN_SILENCE
    this.#iface[place] = iface
    this.#inPort[place] = pool.inPort[x.handle]
    this.#count++
  }

  /** Answers those whose time has come, unless there is a connection by now. */
  poll(zone: number, now: Instant): void {
    const { pool } = this.#host
    while (this.#count > 0 && this.#due[this.#head] <= now) {
      const place = this.#head
      this.#head = (this.#head + 1) % PLACES
      this.#count--
      const at = place * PLACE_BYTES
      const h = pool.fromBytes(this.#frames.subarray(at, at + this.#length[place]), this.#inPort[place])
      if (h < 0) continue
      const l3 = pool.off[h] + 14
      const tp = pool.dv.getUint32(l3 + ((pool.u8[l3] & 15) << 2))
      const src = pool.dv.getUint32(l3 + 12)
      const dst = pool.dv.getUint32(l3 + 16)
      if (this.#conntrack.lookup(zone, PROTO_TCP, src, dst, tp) < 0) this.#answer(h, this.#iface[place])
      pool.free(h)
    }
  }

  get nextDue(): Instant | undefined {
    return this.#count === 0 ? undefined : this.#due[this.#head]
  }

  /** Whether a SYN between the same endpoints waits already. */
  #waits(pool: PacketPool, l3: number): boolean {
    for (let i = 0; i < this.#count; i++) {
      const at = ((this.#head + i) % PLACES) * PLACE_BYTES + 14
      const headerLength = (this.#frames[at] & 15) << 2
      let same = this.#frames[at] === pool.u8[l3]
      for (let b = 12; same && b < 20; b++) same = this.#frames[at + b] === pool.u8[l3 + b]
      for (let b = headerLength; same && b < headerLength + 4; b++) {
        same = this.#frames[at + b] === pool.u8[l3 + b]
      }
      if (same) return true
    }
    return false
  }
}
