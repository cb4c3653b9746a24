/**
 * An endless, repeatable supply of frames that try to break a parser: random bytes, headers put together with
 * boundary values in their length fields, and real frames damaged a little more at every step. Cheap enough for
 * millions: everything happens in one buffer.
 */

import type { Random } from '../../protocols/random.ts'
import { put16, u16 } from '../../protocols/wire/big-endian.ts'
import { pseudoHeader4 } from '../../protocols/wire/checksum.ts'
import * as dot1q from '../../protocols/wire/dot1q.ts'
import * as icmpv4 from '../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as tcp from '../../protocols/wire/tcp.ts'
import * as udp from '../../protocols/wire/udp.ts'
import { ALL } from '../protocols/wire/captured-frames.ts'

/** Longest frame made unless told otherwise: above an MTU of 1,500 with two tags. */
export const FRAME_MAX = 1536

/** Values at which length and count fields go wrong. */
const EDGES = [0, 1, 2, 3, 4, 5, 7, 8, 0x0f, 0x10, 0x14, 0x1f, 0x3f, 0x40, 0x7f, 0x80, 0xf0, 0xfe, 0xff]
const TYPES = [0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 0x0000, 0x0026, 0x05dc, 0x05ff, 0x0600, 0xffff]
const PROTOCOLS = [1, 2, 6, 17, 47, 58, 0, 43, 44, 51, 59, 60, 255]

/** The fields of an ARP packet that are always the same, and the upper half of the operation. */
const ARP_FIXED = Uint8Array.of(0, 1, 8, 0, 6, 4, 0)

/** Rounds of damage to one frame until a fresh one is taken, at the latest. */
const STEPS = 24

export class FrameSource {
  readonly #random: Random
  readonly #seeds: readonly Uint8Array[]
  readonly #work: Uint8Array
  #length = 0
  #steps = 0

  /** @param seeds real frames to damage, each no longer than FRAME_MAX */
  constructor(random: Random, seeds: readonly Uint8Array[] = ALL) {
    this.#random = random
    this.#seeds = seeds
    this.#work = new Uint8Array(FRAME_MAX)
  }

  /** Writes the next frame to `b` at `o`, where FRAME_MAX bytes must be free, and returns its length. */
  next(b: Uint8Array, o: number): number {
    const kind = this.#random() & 15
    if (kind === 0) this.#makeRandom()
    else if (kind < 4) this.#makeStructured()
    else this.#damage()
    // Half of the frames get past the parsers that verify a checksum.
    if (this.#random() & 1) repairChecksums(this.#work, 0, this.#length)
    const work = this.#work
    const length = this.#length
    for (let i = 0; i < length; i++) b[o + i] = work[i]
    return length
  }

  #below(n: number): number {
    return this.#random() % n
  }

  #fill(from: number, to: number): void {
    const work = this.#work
    for (let i = from; i < to; i += 4) {
      const r = this.#random()
      work[i] = r
      work[i + 1] = r >>> 8
      work[i + 2] = r >>> 16
      work[i + 3] = r >>> 24
    }
  }

  #makeRandom(): void {
    this.#length = this.#below(this.#random() & 7 ? 128 : FRAME_MAX + 1)
    this.#fill(0, this.#length)
    this.#steps = 0
  }

  /** Ethernet, up to three tags, then IPv4, ARP or random bytes, with fields near what would be right. */
  #makeStructured(): void {
    const work = this.#work
    this.#steps = STEPS
    this.#length = 14 + this.#below(160)
    this.#fill(0, this.#length + 64)
    let at = 12
    for (let tags = this.#below(4); tags > 0; tags--) {
      put16(work, at, this.#random() & 1 ? dot1q.TPID_8021Q : dot1q.TPID_8021AD)
      at += 4
    }
    put16(work, at, TYPES[this.#below(TYPES.length)])
    const l3 = at + 2
    if (u16(work, at) === 0x86dd) {
      work[l3] = 0x60 | (work[l3] & 15)
      put16(work, l3 + 4, Math.max(0, this.#near(this.#length - l3 - 40)))
      work[l3 + 6] = PROTOCOLS[this.#below(PROTOCOLS.length)]
      work[l3 + 40] = PROTOCOLS[this.#below(PROTOCOLS.length)]
      work[l3 + 41] = this.#below(4)
    } else if (u16(work, at) === 0x0806) {
      work.set(ARP_FIXED, l3)
      work[l3 + 7] = 1 + (this.#random() & 1)
    } else {
      const headerWords = this.#random() & 3 ? 5 : this.#below(16)
      work[l3] = 0x40 | headerWords
      put16(work, l3 + 2, Math.max(0, this.#near(this.#length - l3)))
      if (this.#random() & 3) put16(work, l3 + 6, 0)
      work[l3 + 9] = PROTOCOLS[this.#below(PROTOCOLS.length)]
      const l4 = l3 + headerWords * 4
      if (work[l3 + 9] === 17) put16(work, l4 + 4, Math.max(0, this.#near(this.#length - l4)))
      if (work[l3 + 9] === 6) work[l4 + 12] = (this.#random() & 3 ? 5 + this.#below(4) : this.#below(16)) << 4
    }
  }

  #near(n: number): number {
    const r = this.#random()
    return r & 3 ? n : n - 2 + ((r >>> 2) % 5)
  }

  /** One to three more wounds to the frame at hand, or to a fresh real one. */
  #damage(): void {
    if (this.#steps === 0) {
      const seed = this.#seeds[this.#below(this.#seeds.length)]
      this.#work.set(seed)
      this.#length = seed.length
      this.#steps = STEPS
    }
    this.#steps--
    for (let n = 1 + this.#below(3); n > 0; n--) this.#wound()
  }

  #wound(): void {
    const work = this.#work
    const r = this.#random()
    if (this.#length === 0) {
      this.#length = this.#below(64)
      return
    }
    // Headers, where the fields are, are hit more often than payload.
    const at = this.#below(r & 0x10 ? this.#length : Math.min(this.#length, 64))
    switch (r & 7) {
      case 0:
        work[at] ^= 1 << ((r >>> 8) & 7)
        break
      case 1:
        work[at] = r >>> 8
        break
      case 2:
      case 3:
        work[at] = EDGES[(r >>> 8) % EDGES.length]
        break
      case 4:
        // A 16-bit field just beside the bytes that are left.
        if (at + 1 < this.#length) put16(work, at, Math.max(0, this.#near(this.#length - at)))
        break
      case 5:
        // Not only ever shorter, or a frame would wear away.
        if (r & 0x20) this.#length = at
        break
      case 6:
        this.#length = Math.min(FRAME_MAX, this.#length + this.#below(r & 0x20 ? 8 : 64))
        break
      case 7:
        work.copyWithin(at, this.#below(this.#length), Math.min(this.#length, at + ((r >>> 8) & 15)))
        break
    }
  }
}

/** Makes the IPv4 header checksum and that of what it carries right, as far as the frame is whole enough. */
export function repairChecksums(b: Uint8Array, o: number, end: number): void {
  if (end - o < 14) return
  const at = dot1q.skip(b, o + 12, end)
  const l3 = at + 2
  if (u16(b, at) !== 0x0800 || !ipv4.check(b, l3, end)) return
  ipv4.fillChecksum(b, l3)
  if (ipv4.isFragment(b, l3)) return
  const l4 = ipv4.payload(b, l3)
  const stop = ipv4.end(b, l3)
  const pseudo = pseudoHeader4(ipv4.src(b, l3), ipv4.dst(b, l3), ipv4.protocol(b, l3), stop - l4)
  if (ipv4.protocol(b, l3) === ipv4.PROTO_TCP && tcp.check(b, l4, stop)) tcp.fillChecksum(b, l4, stop, pseudo)
  if (ipv4.protocol(b, l3) === ipv4.PROTO_UDP && udp.check(b, l4, stop)) {
    const own = pseudoHeader4(ipv4.src(b, l3), ipv4.dst(b, l3), ipv4.PROTO_UDP, udp.length(b, l4))
    udp.fillChecksum(b, l4, own)
  }
  if (ipv4.protocol(b, l3) === ipv4.PROTO_ICMP && icmpv4.check(b, l4, stop)) icmpv4.fillChecksum(b, l4, stop)
}
