/**
 * Cutting a GSO frame into the segments it stands for, in software: TCP over IPv4 and IPv6 (RFC 9293; the
 * flags as Linux treats them) and UDP (one datagram a segment), behind any VLAN tags. Needs what
 * `takeVnetHeader` promises of a GSO frame; the frame itself is only read.
 */
import { put16, put32, u16, u32 } from '../../protocols/wire/big-endian.ts'
import { checksum, pseudoHeader4, pseudoHeader6, sum } from '../../protocols/wire/checksum.ts'
import {
  CELL_STRIDE,
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  HEADROOM,
  type PacketPool,
  VNET_DATA_VALID,
} from '../memory/packet-pool.ts'
import { linkHeaderLen } from './headers.ts'

const TCP = 6
const UDP = 17
const FIN = 0x01
const PSH = 0x08
const CWR = 0x80

/** Bytes of all headers of a GSO frame: what every segment repeats. */
export function segmentHeaderLen(pool: PacketPool, h: number): number {
  const l4 = pool.csumStart[h]
  if ((pool.gsoType[h] & ~GSO_ECN) === GSO_UDP_L4) return l4 + 8
  return l4 + (pool.u8[pool.off[h] + l4 + 12] >>> 4) * 4
}

/** How many segments a GSO frame stands for; 0 if its type is none that can be cut. */
export function segmentCount(pool: PacketPool, h: number): number {
  const kind = pool.gsoType[h] & ~GSO_ECN
  if (kind !== GSO_TCPV4 && kind !== GSO_TCPV6 && kind !== GSO_UDP_L4) return 0
  const size = pool.gsoSize[h]
  return Math.floor((pool.len[h] - segmentHeaderLen(pool, h) + size - 1) / size)
}

/**
 * Makes cell `c` the segment number `i`, counted from 0, of GSO frame `h`: a frame of its own with all
 * checksums complete.
 */
export function putSegment(pool: PacketPool, h: number, i: number, c: number): void {
  const b = pool.u8
  const from = pool.off[h]
  const to = c * CELL_STRIDE + HEADROOM
  const header = segmentHeaderLen(pool, h)
  const size = pool.gsoSize[h]
  const begin = header + i * size
  const end = Math.min(begin + size, pool.len[h])
  const len = header + end - begin
  b.copyWithin(to, from, from + header)
  b.copyWithin(to + header, from + begin, from + end)
  pool.off[c] = to
  pool.len[c] = len
  pool.inPort[c] = pool.inPort[h]
  pool.l3[c] = pool.l3[h] === 0 ? 0 : pool.l3[h] - from + to
  pool.l4[c] = pool.l4[h] === 0 ? 0 : pool.l4[h] - from + to
  pool.vnetFlags[c] = VNET_DATA_VALID
  pool.gsoType[c] = GSO_NONE

  const udp = (pool.gsoType[h] & ~GSO_ECN) === GSO_UDP_L4
  const l4 = to + pool.csumStart[h]
  const l4Len = len - pool.csumStart[h]
  if (udp) {
    put16(b, l4 + 4, l4Len)
  } else {
    put32(b, l4 + 4, (u32(b, l4 + 4) + i * size) >>> 0)
    // The congestion window was reduced once; the end and the push come with the last byte.
    if (i > 0) b[l4 + 13] &= ~CWR
    if (end < pool.len[h]) b[l4 + 13] &= ~(FIN | PSH)
  }

  const l3 = to + linkHeaderLen(b, to, len)
  const protocol = udp ? UDP : TCP
  let pseudo: number
  if (b[l3] >>> 4 === 6) {
    put16(b, l3 + 4, to + len - l3 - 40)
    pseudo = pseudoHeader6(b, l3 + 8, protocol, l4Len)
  } else {
    put16(b, l3 + 2, to + len - l3)
    // RFC 6864: identifications of datagrams that might be fragmented differ.
    put16(b, l3 + 4, u16(b, l3 + 4) + i)
    put16(b, l3 + 10, 0)
    put16(b, l3 + 10, checksum(b, l3, (b[l3] & 15) * 4))
    pseudo = pseudoHeader4(u32(b, l3 + 12), u32(b, l3 + 16), protocol, l4Len)
  }
  const field = l4 + pool.csumOffset[h]
  put16(b, field, 0)
  const value = ~sum(b, l4, l4Len, pseudo) & 0xffff
  put16(b, field, value === 0 && udp ? 0xffff : value)
}

/**
 * Cuts `h` into cells of their own, written to `out[0…]`, and answers their number; 0 when there are too few
 * cells or `out` is too short, in which case none is kept. The caller owns them, and `h` still.
 */
export function segmentInto(pool: PacketPool, h: number, out: Uint32Array): number {
  const count = segmentCount(pool, h)
  if (count > out.length || count > pool.available) return 0
  for (let i = 0; i < count; i++) {
    const c = pool.alloc()
    putSegment(pool, h, i, c)
    out[i] = c
  }
  return count
}

/** Packets that a frame counts as: one, or as many as the segments it stands for. */
export function packetCount(pool: PacketPool, h: number): number {
  return pool.gsoType[h] === GSO_NONE ? 1 : segmentCount(pool, h)
}
