/**
 * Which frames may become one: consecutive TCP segments of a connection, or UDP datagrams of a flow, that differ in
 * nothing but what cutting the large frame up again restores. The rules are those of Linux's receive offload: no IPv4
 * options, no fragments, TCP with no flag but ACK and PSH, the same header bytes, consecutive sequence numbers.
 */
import { u16, u32 } from '../../protocols/wire/big-endian.ts'
import { pseudoHeader4, pseudoHeader6, sum } from '../../protocols/wire/checksum.ts'
import { GSO_NONE, type PacketPool, VNET_DATA_VALID, VNET_NEEDS_CSUM } from '../memory/packet-pool.ts'

export const TCP = 6
const UDP = 17
const ETH_IPV4 = 0x0800
const ETH_IPV6 = 0x86dd
/** Of frames that are joined: no VLAN tags, no IPv4 options. */
export const ETHERNET_LEN = 14
export const IPV4_LEN = 20
const IPV6_LEN = 40
const ACK = 0x10
const PSH = 0x08

/** What `look` found, until it is called again. */
export class Candidate {
  /** TCP or UDP of a flow whose order matters; nothing else here means anything otherwise. */
  known = false
  /** May be joined to others. */
  mergeable = false
  v6 = false
  protocol = 0
  /** Offset of the transport header in the frame. */
  l4 = 0
  /** Bytes of all headers. */
  header = 0
  payload = 0
  /** Of addresses; different for flows that differ, nearly always. */
  addresses = 0
  ports = 0
  /** Of TCP. */
  seq = 0
  pushed = false

  /** Looks at a frame with a transport header of its own. Its checksum is not looked at; see `intact`. */
  look(pool: PacketPool, h: number): void {
    const b = pool.u8
    const o = pool.off[h]
    const len = pool.len[h]
    this.known = false
    this.mergeable = false
    this.pushed = false
    this.seq = 0
    const type = u16(b, o + 12)
    this.v6 = type === ETH_IPV6
    const l4 = ETHERNET_LEN + (this.v6 ? IPV6_LEN : IPV4_LEN)
    this.l4 = l4
    if ((type !== ETH_IPV4 && !this.v6) || len < l4 + 8) return
    if (this.v6) {
      this.protocol = b[o + ETHERNET_LEN + 6]
      let mixed = 0
      for (let i = 8; i < 40; i += 4) mixed = (Math.imul(mixed, 31) + u32(b, o + ETHERNET_LEN + i)) | 0
      this.addresses = mixed
    } else {
      if (b[o + ETHERNET_LEN] !== 0x45 || (u16(b, o + ETHERNET_LEN + 6) & 0x3fff) !== 0) return
      this.protocol = b[o + ETHERNET_LEN + 9]
      this.addresses = (Math.imul(u32(b, o + ETHERNET_LEN + 12), 31) + u32(b, o + ETHERNET_LEN + 16)) | 0
    }
    if (this.protocol !== TCP && this.protocol !== UDP) return
    this.known = true
    this.ports = u32(b, o + l4) | 0
    const whole = this.v6 ? IPV6_LEN + u16(b, o + ETHERNET_LEN + 4) : u16(b, o + ETHERNET_LEN + 2)
    if (pool.gsoType[h] !== GSO_NONE || whole !== len - ETHERNET_LEN) return
    if (this.protocol === UDP) {
      this.header = l4 + 8
      this.payload = len - this.header
      this.mergeable = this.payload > 0 && u16(b, o + l4 + 4) === len - l4 && u16(b, o + l4 + 6) !== 0
      return
    }
    if (len < l4 + 20) return
    this.header = l4 + (b[o + l4 + 12] >>> 4) * 4
    this.payload = len - this.header
    this.seq = u32(b, o + l4 + 4)
    const flags = u16(b, o + l4 + 12) & 0xfff
    this.pushed = (flags & PSH) !== 0
    this.mergeable = this.header >= l4 + 20 && this.payload > 0 && (flags & ~PSH) === ACK
  }

  /**
   * Whether the frame goes on where a larger one of `segments` ends, whose headers it repeats.
   * @param c the larger one, its own lengths and checksums not yet filled in
   */
  continues(pool: PacketPool, c: number, h: number, segments: number): boolean {
    const b = pool.u8
    const x = pool.off[c]
    const y = pool.off[h]
    const { l4, header } = this
    for (let i = 0; i < ETHERNET_LEN; i++) if (b[x + i] !== b[y + i]) return false
    if (this.v6) {
      // Class, label, next header, hop limit, addresses.
      for (let i = ETHERNET_LEN; i < ETHERNET_LEN + IPV6_LEN; i++)
        if (b[x + i] !== b[y + i] && i !== ETHERNET_LEN + 4 && i !== ETHERNET_LEN + 5) return false
    } else {
      if (b[x + ETHERNET_LEN + 1] !== b[y + ETHERNET_LEN + 1]) return false
      for (let i = ETHERNET_LEN + 6; i < ETHERNET_LEN + IPV4_LEN; i++) {
        if (b[x + i] !== b[y + i] && i !== ETHERNET_LEN + 10 && i !== ETHERNET_LEN + 11) return false
      }
      if (!this.#identified(b, x + ETHERNET_LEN, y + ETHERNET_LEN, segments)) return false
    }
    if (u32(b, x + l4) !== u32(b, y + l4)) return false
    if (this.protocol === UDP) return true
    // Acknowledgement, header length, window, urgent pointer and options; PSH may end the frame.
    for (let i = l4 + 8; i < header; i++) {
      if (b[x + i] === b[y + i] || i === l4 + 16 || i === l4 + 17) continue
      if (i !== l4 + 13 || ((b[x + i] ^ b[y + i]) & ~PSH) !== 0) return false
    }
    return true
  }

  /**
   * Segments that the kernel cuts are numbered one by one. Of what must not be fragmented nobody reads the number
   * (RFC 6864 §4.1), but TCP's shows what a sender's own offload would have sent.
   */
  #identified(b: Uint8Array, first: number, next: number, segments: number): boolean {
    const ahead = (u16(b, next + 4) - u16(b, first + 4)) & 0xffff
    const atomic = (b[first + 6] & 0x40) !== 0
    return ahead === segments || (atomic && ahead === 0)
  }

  /** Whether the checksums are right, that of the transport also when it is left to whoever finishes the frame. */
  intact(pool: PacketPool, h: number): boolean {
    const b = pool.u8
    if (!this.v6 && sum(b, pool.off[h] + ETHERNET_LEN, IPV4_LEN) !== 0xffff) return false
    if ((pool.vnetFlags[h] & (VNET_NEEDS_CSUM | VNET_DATA_VALID)) !== 0) return true
    const l4 = pool.off[h] + this.l4
    const length = pool.len[h] - this.l4
    return (
      sum(b, l4, length, pseudoHeader(b, pool.off[h] + ETHERNET_LEN, this.v6, this.protocol, length)) ===
      0xffff
    )
  }
}

/** Sum of the pseudo-header of a frame whose IP header is at `l3`. */
export function pseudoHeader(
  b: Uint8Array,
  l3: number,
  v6: boolean,
  protocol: number,
  length: number,
): number {
  return v6
    ? pseudoHeader6(b, l3 + 8, protocol, length)
    : pseudoHeader4(u32(b, l3 + 12), u32(b, l3 + 16), protocol, length)
}
