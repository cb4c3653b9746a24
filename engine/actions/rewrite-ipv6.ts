/** Changes to IPv6 headers and neighbour discovery in place, transport checksums included. */
import { replaceInSum32, update32 } from '../../protocols/wire/checksum.ts'
import { type PacketPool, VNET_NEEDS_CSUM } from '../memory/packet-pool.ts'
import { ipv6Transport, PROTO_ICMPV6, PROTO_TCP, PROTO_UDP, ROUTED } from './transport.ts'

const SOURCE = 8
const DESTINATION = 24
const ND_TARGET = 8
const ND_OPTIONS = 24

/** Index of the transport checksum, or 0. */
function checksumIndex(l4: number, proto: number): number {
  if (l4 === 0) return 0
  if (proto === PROTO_TCP) return l4 + 16
  if (proto === PROTO_UDP) return l4 + 6
  return proto === PROTO_ICMPV6 ? l4 + 2 : 0
}

function setAddress(pool: PacketPool, h: number, at: number, code: Int32Array, pc: number): void {
  const { dv } = pool
  const p = pool.l3[h] + at
  const transport = ipv6Transport(pool, h)
  const counts = at === SOURCE || (transport & ROUTED) === 0
  let sum = counts ? checksumIndex(pool.l4[h], transport & 0xff) : 0
  // A datagram without a checksum (RFC 6935) stays without one.
  const partial = (pool.vnetFlags[h] & VNET_NEEDS_CSUM) !== 0
  if ((transport & 0xff) === PROTO_UDP && sum !== 0 && !partial && dv.getUint16(sum) === 0) sum = 0
  for (let i = 0; i < 4; i++) {
    const from = dv.getInt32(p + 4 * i)
    const to = code[pc + i]
    dv.setInt32(p + 4 * i, to)
    if (sum === 0) continue
    const checksum = dv.getUint16(sum)
    if (partial) dv.setUint16(sum, replaceInSum32(checksum, from, to))
    else dv.setUint16(sum, update32(checksum, from, to))
  }
  if ((transport & 0xff) === PROTO_UDP && sum !== 0 && !partial && dv.getUint16(sum) === 0) {
    dv.setUint16(sum, 0xffff)
  }
}

/** The address stands in four words of a program. */
export function setIpv6Src(pool: PacketPool, h: number, code: Int32Array, pc: number): void {
  setAddress(pool, h, SOURCE, code, pc)
}

export function setIpv6Dst(pool: PacketPool, h: number, code: Int32Array, pc: number): void {
  setAddress(pool, h, DESTINATION, code, pc)
}

export function setIpv6TrafficClass(pool: PacketPool, h: number, value: number): void {
  const l3 = pool.l3[h]
  pool.dv.setInt32(l3, (pool.dv.getInt32(l3) & 0xf00f_ffff) | (value << 20))
}

export function setIpv6Label(pool: PacketPool, h: number, label: number): void {
  const l3 = pool.l3[h]
  pool.dv.setInt32(l3, (pool.dv.getInt32(l3) & 0xfff0_0000) | label)
}

/** One 32-bit word of an ICMPv6 message. */
function setWord(pool: PacketPool, h: number, at: number, to: number): void {
  const { dv } = pool
  const from = dv.getInt32(at)
  dv.setInt32(at, to)
  const sum = pool.l4[h] + 2
  if ((pool.vnetFlags[h] & VNET_NEEDS_CSUM) === 0) dv.setUint16(sum, update32(dv.getUint16(sum), from, to))
}

/** Target of a neighbour solicitation or advertisement (RFC 4861 §4.3, §4.4). */
export function setNdTarget(pool: PacketPool, h: number, code: Int32Array, pc: number): void {
  const l4 = pool.l4[h]
  if (l4 === 0 || l4 + ND_OPTIONS > pool.off[h] + pool.len[h]) return
  for (let i = 0; i < 4; i++) setWord(pool, h, l4 + ND_TARGET + 4 * i, code[pc + i])
}

/** Link-layer address in the options of type `option`; one that is not there is not added. */
export function setNdLinkLayer(pool: PacketPool, h: number, option: number, high: number, low: number): void {
  const { u8, dv } = pool
  const l4 = pool.l4[h]
  if (l4 === 0) return
  const end = pool.off[h] + pool.len[h]
  for (let o = l4 + ND_OPTIONS; end - o >= 8; ) {
    const length = u8[o + 1] << 3
    if (length === 0 || length > end - o) return
    if (u8[o] === option) {
      setWord(pool, h, o, (dv.getUint16(o) << 16) | high)
      setWord(pool, h, o + 4, low)
    }
    o += length
  }
}
