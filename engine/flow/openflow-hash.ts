/**
 * The hashes by which multipath, bundle and select groups choose, the same as Open vSwitch's, so that a flow
 * goes the same way through either: Jenkins' lookup3 over fields, and a MurmurHash3 finisher over words.
 */
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IPV6_DST,
  W_IPV6_SRC,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import type { HashFields } from '../../protocols/openflow/action.ts'

const PROTO_TCP = 6
const PROTO_UDP = 17
const PROTO_SCTP = 132
/** Protocols whose ports, or what stands in their place, a five-tuple has: ICMP for IPv4 and IPv6 too. */
const PROTOS_WITH_PORTS: ReadonlySet<number> = new Set([PROTO_TCP, PROTO_UDP, PROTO_SCTP, 1, 58])

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}

/** One word into a running hash (MurmurHash3). */
export function hashAdd(hash: number, data: number): number {
  const k = Math.imul(rotate(Math.imul(data, 0xcc9e2d51), 15), 0x1b873593)
  return (Math.imul(rotate(hash ^ k, 13), 5) + 0xe6546b64) | 0
}

export function hashFinish(hash: number, bytes: number): number {
  let h = hash ^ bytes
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

export function hashTwoWords(x: number, y: number): number {
  return hashFinish(hashAdd(hashAdd(x, 0), y), 8)
}

export function hash64(value: bigint): number {
  const low = Number(value & 0xffff_ffffn)
  const high = Number((value >> 32n) & 0xffff_ffffn)
  return hashFinish(hashAdd(hashAdd(0, low), high), 8)
}

/** Of a station in a VLAN, by which bonds balance their load. @param mac a 48-bit number */
export function hashStation(mac: number, vlan: number, basis: number): number {
  const high = ((vlan << 16) | Math.floor(mac / 0x1_0000_0000)) >>> 0
  return hashFinish(hashAdd(hashAdd(basis, mac % 0x1_0000_0000), high), 8)
}

/** Four bytes as a little-endian word; those beyond the end are 0. */
function word(b: Uint8Array, at: number): number {
  return (b[at] ?? 0) | ((b[at + 1] ?? 0) << 8) | ((b[at + 2] ?? 0) << 16) | ((b[at + 3] ?? 0) << 24)
}

export function hashBytes(b: Uint8Array, basis: number): number {
  let hash = basis
  for (let i = 0; i < b.length; i += 4) hash = hashAdd(hash, word(b, i))
  return hashFinish(hash, b.length)
}

/** Jenkins' lookup3 (public domain), bytes taken as little-endian words. */
export function jenkinsHash(bytes: Uint8Array, basis: number): number {
  let a = (0xdeadbeef + bytes.length + basis) | 0
  let b = a
  let c = a
  let i = 0
  for (; bytes.length - i >= 12; i += 12) {
    a = (a + word(bytes, i)) | 0
    b = (b + word(bytes, i + 4)) | 0
    c = (c + word(bytes, i + 8)) | 0
    a = ((a - c) | 0) ^ rotate(c, 4)
    c = (c + b) | 0
    b = ((b - a) | 0) ^ rotate(a, 6)
    a = (a + c) | 0
    c = ((c - b) | 0) ^ rotate(b, 8)
    b = (b + a) | 0
    a = ((a - c) | 0) ^ rotate(c, 16)
    c = (c + b) | 0
    b = ((b - a) | 0) ^ rotate(a, 19)
    a = (a + c) | 0
    c = ((c - b) | 0) ^ rotate(b, 4)
    b = (b + a) | 0
  }
  if (i === bytes.length) return c >>> 0
  a = (a + word(bytes, i)) | 0
  b = (b + word(bytes, i + 4)) | 0
  c = (c + word(bytes, i + 8)) | 0
  c = ((c ^ b) - rotate(b, 14)) | 0
  a = ((a ^ c) - rotate(c, 11)) | 0
  b = ((b ^ a) - rotate(a, 25)) | 0
  c = ((c ^ b) - rotate(b, 16)) | 0
  a = ((a ^ c) - rotate(c, 4)) | 0
  b = ((b ^ a) - rotate(a, 14)) | 0
  return ((c ^ b) - rotate(b, 24)) >>> 0
}

const view = new DataView(new ArrayBuffer(40))
const bytes40 = new Uint8Array(view.buffer)

/** Addresses that differ are combined by XOR, so that both directions of a conversation hash alike. */
function putAddresses(flow: Uint32Array, ipv6: boolean): void {
  if (!ipv6) view.setUint32(0, flow[W_NW_SRC] ^ flow[W_NW_DST])
  else for (let i = 0; i < 4; i++) view.setUint32(4 * i, flow[W_IPV6_SRC + i] ^ flow[W_IPV6_DST + i])
}

function hasPorts(flow: Uint32Array, withUdp: boolean): boolean {
  const proto = flow[W_NW] >>> 24
  return proto === PROTO_TCP || proto === PROTO_SCTP || (withUdp && proto === PROTO_UDP)
}

function symmetricL4(flow: Uint32Array, basis: number): number {
  const type = flow[W_TYPE] >>> 16
  bytes40.fill(0)
  view.setUint16(16, type)
  view.setUint16(18, ((flow[W_VLAN] >>> 16) ^ flow[W_VLAN]) & 0x0fff)
  view.setUint32(22, flow[W_DL_DST] ^ ((flow[W_DL_MIX] << 16) | (flow[W_DL_SRC] >>> 16)))
  view.setUint16(26, (flow[W_DL_MIX] >>> 16) ^ (flow[W_DL_SRC] & 0xffff))
  if (type === ETH_IPV4 || type === ETH_IPV6) {
    putAddresses(flow, type === ETH_IPV6)
    view.setUint8(28, flow[W_NW] >>> 24)
    if (hasPorts(flow, false)) view.setUint16(20, (flow[W_TP] >>> 16) ^ (flow[W_TP] & 0xffff))
  }
  return jenkinsHash(bytes40.subarray(0, 32), basis)
}

/** What symmetric_l3l4 is of packets that have no such layers. */
function symmetricL2(flow: Uint32Array, basis: number): number {
  const vlan = ((flow[W_VLAN] >>> 16) ^ flow[W_VLAN]) & 0x0fff
  const [high, mix, low] = [flow[W_DL_DST], flow[W_DL_MIX], flow[W_DL_SRC]]
  let hash = hashAdd(basis, swap32(((flow[W_TYPE] & 0xffff_0000) | vlan) >>> 0))
  hash = hashAdd(hash, swap32((high ^ ((mix << 16) | (low >>> 16))) >>> 0))
  hash = hashAdd(hash, swap32((((mix >>> 16) ^ (low & 0xffff)) << 16) >>> 0))
  return hashFinish(hash, basis)
}

function symmetricL3L4(flow: Uint32Array, basis: number, withUdp: boolean): number {
  const type = flow[W_TYPE] >>> 16
  if (type !== ETH_IPV4 && type !== ETH_IPV6) return symmetricL2(flow, basis)
  let hash = basis
  if (type === ETH_IPV4) hash = hashAdd(hash, swap32(flow[W_NW_SRC] ^ flow[W_NW_DST]))
  else {
    for (let i = 0; i < 4; i += 2) {
      hash = hashAdd(hash, swap32(flow[W_IPV6_SRC + i] ^ flow[W_IPV6_DST + i]))
      hash = hashAdd(hash, swap32(flow[W_IPV6_SRC + i + 1] ^ flow[W_IPV6_DST + i + 1]))
    }
  }
  hash = hashAdd(hash, flow[W_NW] >>> 24)
  if (hasPorts(flow, withUdp)) {
    const ports = (flow[W_TP] >>> 16) ^ (flow[W_TP] & 0xffff)
    hash = hashAdd(hash, ((ports & 0xff) << 8) | (ports >>> 8))
  }
  return hashFinish(hash, basis)
}

function symmetricL3(flow: Uint32Array, basis: number): number {
  const type = flow[W_TYPE] >>> 16
  bytes40.fill(0)
  if (type === ETH_IPV4 || type === ETH_IPV6) putAddresses(flow, type === ETH_IPV6)
  view.setUint16(16, type)
  return jenkinsHash(bytes40.subarray(0, 20), basis)
}

function swap32(x: number): number {
  return ((x & 0xff) << 24) | ((x & 0xff00) << 8) | ((x >>> 8) & 0xff00) | (x >>> 24)
}

function address(flow: Uint32Array, ipv4: number, ipv6: number, basis: number): number {
  const type = flow[W_TYPE] >>> 16
  if (type === ETH_IPV4) {
    view.setUint32(0, flow[ipv4])
    return jenkinsHash(bytes40.subarray(0, 4), basis)
  }
  if (type !== ETH_IPV6) return basis
  for (let i = 0; i < 4; i++) view.setUint32(4 * i, flow[ipv6 + i])
  return jenkinsHash(bytes40.subarray(0, 16), basis)
}

const FIVE_TUPLE_END = 42

/** The hash that Open vSwitch's userspace datapath gives a packet it receives. */
export function hashFiveTuple(flow: Uint32Array): number {
  const type = flow[W_TYPE] >>> 16
  let hash = 0
  if (type === ETH_IPV6) {
    for (let i = 0; i < 4; i++) hash = hashAdd(hash, swap32(flow[W_IPV6_SRC + i]))
    for (let i = 0; i < 4; i++) hash = hashAdd(hash, swap32(flow[W_IPV6_DST + i]))
  } else if (type === ETH_IPV4 || type === ETH_ARP) {
    hash = hashAdd(hashAdd(hash, swap32(flow[W_NW_SRC])), swap32(flow[W_NW_DST]))
  } else return hashFinish(hash, FIVE_TUPLE_END)
  const proto = flow[W_NW] >>> 24
  hash = hashAdd(hash, proto)
  if (PROTOS_WITH_PORTS.has(proto)) hash = hashAdd(hash, swap32(flow[W_TP]))
  return hashFinish(hash, FIVE_TUPLE_END)
}

/** A flow's hash over some of its fields, as multipath and bundle name them. */
export function hashFields(flow: Uint32Array, fields: HashFields, basis: number): number {
  switch (fields) {
    case 'eth_src':
      view.setUint16(0, flow[W_DL_MIX] & 0xffff)
      view.setUint32(2, flow[W_DL_SRC])
      return jenkinsHash(bytes40.subarray(0, 6), basis)
    case 'symmetric_l4':
      return symmetricL4(flow, basis)
    case 'symmetric_l3l4':
      return symmetricL3L4(flow, basis, false)
    case 'symmetric_l3l4+udp':
      return symmetricL3L4(flow, basis, true)
    case 'nw_src':
      return address(flow, W_NW_SRC, W_IPV6_SRC, basis)
    case 'nw_dst':
      return address(flow, W_NW_DST, W_IPV6_DST, basis)
    case 'symmetric_l3':
      return symmetricL3(flow, basis)
  }
}
