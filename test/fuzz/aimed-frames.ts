/**
 * Damaged frames that get far: aimed at the stations and the router of a lab, in its VLANs, with lengths and
 * checksums right more often than not, and now and then with the offload requests that a device may make.
 */
import { GSO_NONE, GSO_TCPV4, GSO_UDP_L4, VNET_NEEDS_CSUM } from '../../engine/memory/packet-pool.ts'
import { NO_OFFLOAD, type OffloadRequest } from '../../engine/netdev/frame-queue.ts'
import type { Random } from '../../protocols/random.ts'
import { put16, put32, put48, u16 } from '../../protocols/wire/big-endian.ts'
import * as dot1q from '../../protocols/wire/dot1q.ts'
import * as ethernet from '../../protocols/wire/ethernet.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import { FRAME_MAX, FrameSource, repairChecksums } from './frames.ts'

/** Longest frame: a GSO segment. */
export const AIMED_MAX = 20_000

/** Whom the frames of one port pretend to be from, and whom they are for. */
export interface Aim {
  readonly mac: number
  /** Destinations on the link: stations, the router. */
  readonly macs: readonly number[]
  readonly from: readonly number[]
  readonly to: readonly number[]
  readonly vlans: readonly number[]
}

export class AimedFrames {
  readonly bytes = new Uint8Array(AIMED_MAX + FRAME_MAX)
  length = 0
  /** What the device says of the frame. */
  offload: OffloadRequest = NO_OFFLOAD
  readonly #random: Random
  readonly #source: FrameSource

  constructor(random: Random, seeds: readonly Uint8Array[]) {
    this.#random = random
    this.#source = new FrameSource(random, seeds)
  }

  /** Puts the next frame into `bytes`, `length` and `offload`. */
  next(aim: Aim): void {
    this.length = this.#next(aim)
  }

  #next(aim: Aim): number {
    const b = this.bytes
    const random = this.#random
    this.offload = NO_OFFLOAD
    let length = this.#source.next(b, 0)
    if (length < ethernet.HEADER_LEN) return length
    const chance = random()
    if ((chance & 7) !== 0) put48(b, ethernet.DST, this.#pick(aim.macs))
    if ((chance & 0x38) !== 0) put48(b, ethernet.SRC, aim.mac)
    if ((chance & 0x1c0) === 0) length = this.#tag(length, aim.vlans)
    const at = dot1q.skip(b, 12, length)
    const l3 = at + 2
    if ((chance & 0x300000) !== 0) this.#mend(at, length)
    if (u16(b, at) !== ethernet.TYPE_IPV4 || !ipv4.check(b, l3, length)) return length
    if ((chance & 0x600) !== 0) put32(b, l3 + ipv4.DST, this.#pick(aim.to))
    if ((chance & 0x1800) !== 0) put32(b, l3 + ipv4.SRC, this.#pick(aim.from))
    if ((chance & 0xe000) !== 0) repairChecksums(b, 0, length)
    if ((chance & 0xf0000) === 0) return this.#withOffload(length, l3)
    return length
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random() % list.length]
  }

  /** Most damage ends in the first check of the IPv4 header; this lets the frame past it. */
  #mend(at: number, length: number): void {
    const b = this.bytes
    const l3 = at + 2
    if (
      b[l3 + ipv4.PROTOCOL] > 17 ||
      length < l3 + ipv4.HEADER_LEN ||
      (b[l3] >>> 4 !== 4 && u16(b, at) !== 0x800)
    )
      return
    put16(b, at, ethernet.TYPE_IPV4)
    if (ipv4.check(b, l3, length)) return
    b[l3] = 0x45
    put16(b, l3 + ipv4.TOTAL_LENGTH, length - l3)
  }

  /** One to three tags in front of what is there. */
  #tag(length: number, vlans: readonly number[]): number {
    const b = this.bytes
    for (let n = 1 + (this.#random() % 3); n > 0; n--) {
      b.copyWithin(16, 12, length)
      put16(b, 12, this.#random() & 3 ? dot1q.TPID_8021Q : dot1q.TPID_8021AD)
      put16(b, 14, this.#pick(vlans) | (this.#random() & 0xe000))
      length += 4
    }
    return length
  }

  /** TCP and UDP as a host leaves them to its device: checksum unfinished, segments uncut. */
  #withOffload(length: number, l3: number): number {
    const b = this.bytes
    const protocol = ipv4.protocol(b, l3)
    if ((protocol !== ipv4.PROTO_TCP && protocol !== ipv4.PROTO_UDP) || ipv4.isFragment(b, l3)) return length
    const csumStart = ipv4.payload(b, l3)
    const csumOffset = protocol === ipv4.PROTO_TCP ? 16 : 6
    let gsoType = GSO_NONE
    let gsoSize = 0
    if (this.#random() & 1) {
      gsoType = protocol === ipv4.PROTO_TCP ? GSO_TCPV4 : GSO_UDP_L4
      gsoSize = 48 + (this.#random() % 1500)
      length = Math.min(AIMED_MAX, length + (this.#random() % AIMED_MAX))
      put16(b, l3 + ipv4.TOTAL_LENGTH, length - l3)
      if (protocol === ipv4.PROTO_UDP) put16(b, csumStart + 4, length - csumStart)
      ipv4.fillChecksum(b, l3)
    }
    this.offload = { flags: VNET_NEEDS_CSUM, gsoType, gsoSize, csumStart, csumOffset }
    return length
  }
}
