/** A TCP segment in the packet pool, whole or standing for several, as helpers change it. */
import { put16, put32, u32 } from '../../protocols/wire/big-endian.ts'
import { pseudoHeader4, pseudoHeader6, verify } from '../../protocols/wire/checksum.ts'
import * as ipv4 from '../../protocols/wire/ipv4.ts'
import * as ipv6 from '../../protocols/wire/ipv6.ts'
import * as tcp from '../../protocols/wire/tcp.ts'
import { CELL_STRIDE, type PacketPool, VNET_NEEDS_CSUM } from '../memory/packet-pool.ts'
import { PROTO_TCP } from './tuple.ts'

/** Longest datagram behind its Ethernet header. */
const LONGEST = 65_535

export class TcpPacket {
  readonly pool: PacketPool
  readonly h: number
  readonly #ip: number
  readonly #tcp: number
  readonly #version6: boolean

  /** `l3` and `l4` of the pool are set, the latter on a whole TCP header. */
  constructor(pool: PacketPool, h: number) {
    this.pool = pool
    this.h = h
    this.#ip = pool.l3[h]
    this.#tcp = pool.l4[h]
    this.#version6 = pool.u8[this.#ip] >>> 4 === 6
  }

  get seq(): number {
    return this.pool.dv.getInt32(this.#tcp + tcp.SEQ)
  }

  /** Index of the first byte of the payload. */
  get payload(): number {
    return this.#tcp + tcp.headerLength(this.pool.u8, this.#tcp)
  }

  /** Index behind its last byte. */
  get end(): number {
    const b = this.pool.u8
    return this.#version6 ? ipv6.end(b, this.#ip) : ipv4.end(b, this.#ip)
  }

  get flags(): number {
    return tcp.flags(this.pool.u8, this.#tcp)
  }

  /** False for a segment that was damaged on its way. A checksum that is yet to be made is right. */
  get isSound(): boolean {
    if (this.#partial) return true
    return verify(this.pool.u8, this.#tcp, this.end - this.#tcp, this.#pseudoHeader)
  }

  /**
   * Replaces bytes of the payload. Follow with `seal`.
   * @returns false when there is no room, and nothing is changed
   */
  replace(at: number, length: number, text: Uint8Array): boolean {
    const { pool, h } = this
    const b = pool.u8
    const growth = text.length - length
    const frameEnd = pool.off[h] + pool.len[h]
    if (this.end - this.#ip + growth > LONGEST || frameEnd + growth > (h + 1) * CELL_STRIDE) return false
    b.copyWithin(at + text.length, at + length, frameEnd)
    b.set(text, at)
    pool.len[h] += growth
    if (this.#version6) put16(b, this.#ip + ipv6.PAYLOAD_LENGTH, ipv6.payloadLength(b, this.#ip) + growth)
    else {
      put16(b, this.#ip + ipv4.TOTAL_LENGTH, ipv4.totalLength(b, this.#ip) + growth)
      ipv4.fillChecksum(b, this.#ip)
    }
    return true
  }

  setSeq(seq: number): void {
    put32(this.pool.u8, this.#tcp + tcp.SEQ, seq)
  }

  /** Maps the acknowledgment and the edges of selective ones (RFC 2018). */
  mapAcks(map: (ack: number) => number): void {
    const b = this.pool.u8
    const at = this.#tcp
    if ((this.flags & tcp.ACK) !== 0) put32(b, at + tcp.ACK_NUMBER, map(u32(b, at + tcp.ACK_NUMBER) | 0))
    const option = tcp.findOption(b, at, tcp.OPTION_SACK)
    if (option === 0) return
    const stop = option + 2 + ((b[option + 1] - 2) & ~7)
    for (let o = option + 2; o < stop; o += 4) put32(b, o, map(u32(b, o) | 0))
  }

  /** Makes the checksum right again. */
  seal(): void {
    const b = this.pool.u8
    if (this.#partial) put16(b, this.#tcp + tcp.CHECKSUM, this.#pseudoHeader)
    else tcp.fillChecksum(b, this.#tcp, this.end, this.#pseudoHeader)
  }

  get #partial(): boolean {
    return (this.pool.vnetFlags[this.h] & VNET_NEEDS_CSUM) !== 0
  }

  get #pseudoHeader(): number {
    const b = this.pool.u8
    const length = this.end - this.#tcp
    if (this.#version6) return pseudoHeader6(b, this.#ip + ipv6.SRC, PROTO_TCP, length)
    return pseudoHeader4(ipv4.src(b, this.#ip), ipv4.dst(b, this.#ip), PROTO_TCP, length)
  }
}
