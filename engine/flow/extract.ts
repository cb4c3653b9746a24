/**
 * Reads a frame's headers into a flow key. Never reads past the frame: each header is taken only when it is
 * whole. A header that contradicts itself leaves its words zero and sets a FLAG_BAD_* bit; such a frame is
 * still switched by its Ethernet header.
 */

import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  ETH_MPLS,
  ETH_MPLS_MULTICAST,
  ETH_NSH,
  ETH_TYPE_NONE,
  FLAG_BAD_L3,
  FLAG_BAD_L4,
  FLAG_FRAG,
  FLAG_INNER_AD,
  FLAG_IP_OPTIONS,
  FLAG_LATER,
  FLAG_OUTER_AD,
  KEY_ARP,
  KEY_BASE,
  KEY_MPLS,
  KEY_NSH,
  KEY_WORDS,
  PT_ETHERNET,
  VLAN_PRESENT,
  W_ARP_MIX,
  W_ARP_SHA,
  W_ARP_THA,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_IN_PORT,
  W_IPV6_DST,
  W_IPV6_LABEL,
  W_IPV6_SRC,
  W_L4,
  W_ND_LL,
  W_ND_TARGET,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_RECIRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import { extractMpls } from './extract-mpls.ts'
import { extractNsh } from './extract-nsh.ts'

const TPID_Q = 0x8100
const TPID_AD = 0x88a8
const PROTO_ICMP = 1
const PROTO_TCP = 6
const PROTO_UDP = 17
const PROTO_ICMPV6 = 58
const PROTO_SCTP = 132
const PROTO_UDPLITE = 136
/** IPv6 extension headers walked before the transport is given up on. */
const MAX_EXTENSIONS = 8

/**
 * Fills `key[at…]` from packet `h` and sets its `l3` and `l4`.
 * @param packetType what the packet begins with (packet_type of ovs-fields(7)), if not an Ethernet header
 * @returns words that make up the key, or 0 when the frame is shorter than its Ethernet header and outer tag
 */
export function extract(
  pool: PacketPool,
  h: number,
  inPort: number,
  key: Uint32Array,
  at: number,
  packetType = PT_ETHERNET,
): number {
  const dv = pool.dv
  const off = pool.off[h]
  const end = off + pool.len[h]
  pool.l3[h] = 0
  pool.l4[h] = 0
  key[at + W_IN_PORT] = inPort
  key[at + W_RECIRC] = 0
  key[at + W_NW_SRC] = 0
  key[at + W_NW_DST] = 0
  key[at + W_NW] = 0
  key[at + W_TP] = 0
  key[at + W_L4] = 0

  let p = off
  let type = packetType & 0xffff
  let vlan = 0
  let flags = 0
  if (packetType === PT_ETHERNET) {
    if (end - off < 14) return 0
    key[at + W_DL_DST] = dv.getInt32(off)
    key[at + W_DL_MIX] = dv.getInt32(off + 4)
    key[at + W_DL_SRC] = dv.getInt32(off + 8)
    p = off + 14
    type = dv.getUint16(off + 12)
    if (type === TPID_Q || type === TPID_AD) {
      if (end - p < 4) return 0
      vlan = (dv.getUint16(p) | VLAN_PRESENT) << 16
      if (type === TPID_AD) flags |= FLAG_OUTER_AD
      type = dv.getUint16(p + 2)
      p += 4
      if ((type === TPID_Q || type === TPID_AD) && end - p >= 4) {
        vlan |= dv.getUint16(p) | VLAN_PRESENT
        if (type === TPID_AD) flags |= FLAG_INNER_AD
        type = dv.getUint16(p + 2)
        p += 4
      }
    }
    if (type < 0x0600) type = snapType(dv, p, end)
  } else {
    key[at + W_DL_DST] = 0
    key[at + W_DL_MIX] = 0
    key[at + W_DL_SRC] = 0
  }
  key[at + W_VLAN] = vlan

  if (type === ETH_IPV4) {
    pool.l3[h] = p
    flags |= extractIpv4(pool, h, key, at, p, end)
    key[at + W_TYPE] = (ETH_IPV4 << 16) | flags
    return KEY_BASE
  }
  if (type === ETH_ARP) {
    pool.l3[h] = p
    flags |= extractArp(dv, key, at, p, end)
    key[at + W_TYPE] = (ETH_ARP << 16) | flags
    return KEY_ARP
  }
  if (type === ETH_IPV6) {
    pool.l3[h] = p
    for (let i = KEY_BASE; i < KEY_WORDS; i++) key[at + i] = 0
    flags |= extractIpv6(pool, h, key, at, p, end)
    key[at + W_TYPE] = (ETH_IPV6 << 16) | flags
    return KEY_WORDS
  }
  if (type === ETH_MPLS || type === ETH_MPLS_MULTICAST) {
    extractMpls(dv, key, at, p, end)
    key[at + W_TYPE] = (type << 16) | flags
    return KEY_MPLS
  }
  if (type === ETH_NSH) {
    flags |= extractNsh(dv, key, at, p, end)
    key[at + W_TYPE] = (ETH_NSH << 16) | flags
    return KEY_NSH
  }
  key[at + W_TYPE] = (type << 16) | flags
  return KEY_BASE
}

/** IEEE 802.2 SNAP with an OUI of zero carries an Ethernet type; any other 802.3 frame has none. */
function snapType(dv: DataView, p: number, end: number): number {
  if (end - p < 8 || dv.getUint32(p) !== 0xaaaa0300 || dv.getUint16(p + 4) !== 0) return ETH_TYPE_NONE
  const type = dv.getUint16(p + 6)
  return type >= 0x0600 ? type : ETH_TYPE_NONE
}

function extractIpv4(
  pool: PacketPool,
  h: number,
  key: Uint32Array,
  at: number,
  p: number,
  frameEnd: number,
): number {
  const dv = pool.dv
  if (frameEnd - p < 20) return FLAG_BAD_L3
  const versionIhl = dv.getUint8(p)
  const headerLength = (versionIhl & 0x0f) << 2
  const totalLength = dv.getUint16(p + 2)
  if (
    versionIhl >>> 4 !== 4 ||
    headerLength < 20 ||
    totalLength < headerLength ||
    totalLength > frameEnd - p
  ) {
    return FLAG_BAD_L3
  }
  const proto = dv.getUint8(p + 9)
  const fragment = dv.getUint16(p + 6)
  let flags = headerLength > 20 ? FLAG_IP_OPTIONS : 0
  key[at + W_NW_SRC] = dv.getInt32(p + 12)
  key[at + W_NW_DST] = dv.getInt32(p + 16)
  key[at + W_NW] = (proto << 24) | (dv.getUint8(p + 1) << 16) | (dv.getUint8(p + 8) << 8)
  if ((fragment & 0x3fff) !== 0) {
    flags |= FLAG_FRAG
    if ((fragment & 0x1fff) !== 0) return flags | FLAG_LATER
  }
  return flags | extractTransport(pool, h, key, at, proto, p + headerLength, p + totalLength)
}

function extractTransport(
  pool: PacketPool,
  h: number,
  key: Uint32Array,
  at: number,
  proto: number,
  p: number,
  end: number,
): number {
  const dv = pool.dv
  if (proto === PROTO_TCP) {
    if (end - p < 20) return FLAG_BAD_L4
    const offsetFlags = dv.getUint16(p + 12)
    const headerLength = (offsetFlags >>> 12) << 2
    if (headerLength < 20 || headerLength > end - p) return FLAG_BAD_L4
    pool.l4[h] = p
    key[at + W_TP] = dv.getInt32(p)
    key[at + W_L4] = (offsetFlags & 0x0fff) << 16
    return 0
  }
  if (proto === PROTO_UDP || proto === PROTO_UDPLITE || proto === PROTO_SCTP) {
    if (end - p < (proto === PROTO_SCTP ? 12 : 8)) return FLAG_BAD_L4
    pool.l4[h] = p
    key[at + W_TP] = dv.getInt32(p)
    return 0
  }
  if (proto === PROTO_ICMP) {
    if (end - p < 8) return FLAG_BAD_L4
    const type = dv.getUint8(p)
    pool.l4[h] = p
    key[at + W_TP] = (type << 16) | dv.getUint8(p + 1)
    if (isIcmpQuery(type)) key[at + W_L4] = dv.getUint16(p + 4)
    return 0
  }
  pool.l4[h] = p
  return 0
}

/** ICMP types with an identifier: echo, timestamp, information and address mask (RFC 792, RFC 950). */
export function isIcmpQuery(type: number): boolean {
  return type === 8 || type === 0 || (type >= 13 && type <= 18)
}

function extractArp(dv: DataView, key: Uint32Array, at: number, p: number, end: number): number {
  key[at + W_ARP_SHA] = 0
  key[at + W_ARP_MIX] = 0
  key[at + W_ARP_THA] = 0
  if (end - p < 28 || dv.getUint32(p) !== 0x00010800 || dv.getUint16(p + 4) !== 0x0604) return FLAG_BAD_L3
  const opcode = dv.getUint16(p + 6)
  key[at + W_NW] = opcode < 256 ? opcode << 24 : 0
  key[at + W_NW_SRC] = dv.getInt32(p + 14)
  key[at + W_NW_DST] = dv.getInt32(p + 24)
  key[at + W_ARP_SHA] = dv.getInt32(p + 8)
  key[at + W_ARP_MIX] = (dv.getUint16(p + 12) << 16) | dv.getUint16(p + 18)
  key[at + W_ARP_THA] = dv.getInt32(p + 20)
  return 0
}

function extractIpv6(
  pool: PacketPool,
  h: number,
  key: Uint32Array,
  at: number,
  start: number,
  frameEnd: number,
): number {
  const dv = pool.dv
  if (frameEnd - start < 40) return FLAG_BAD_L3
  const first = dv.getUint32(start)
  const end = start + 40 + dv.getUint16(start + 4)
  if (first >>> 28 !== 6 || end > frameEnd) return FLAG_BAD_L3
  for (let i = 0; i < 4; i++) {
    key[at + W_IPV6_SRC + i] = dv.getInt32(start + 8 + 4 * i)
    key[at + W_IPV6_DST + i] = dv.getInt32(start + 24 + 4 * i)
  }
  key[at + W_IPV6_LABEL] = first & 0xfffff
  let proto = dv.getUint8(start + 6)
  let p = start + 40
  let flags = 0
  for (let n = 0; n < MAX_EXTENSIONS; n++) {
    if (proto !== 0 && proto !== 43 && proto !== 44 && proto !== 51 && proto !== 60) break
    if (end - p < 8) {
      flags |= FLAG_BAD_L4
      break
    }
    const next = dv.getUint8(p)
    if (proto === 44) {
      const fragment = dv.getUint16(p + 2)
      if ((fragment & 0xfff9) !== 0) flags |= FLAG_FRAG
      if ((fragment & 0xfff8) !== 0) {
        // What follows is the middle of something.
        flags |= FLAG_LATER
        break
      }
      p += 8
    } else {
      p += proto === 51 ? (dv.getUint8(p + 1) + 2) << 2 : (dv.getUint8(p + 1) + 1) << 3
    }
    proto = next
  }
  key[at + W_NW] = (proto << 24) | (((first >>> 20) & 0xff) << 16) | (dv.getUint8(start + 7) << 8)
  if ((flags & (FLAG_LATER | FLAG_BAD_L4)) !== 0) return flags
  if (p > end) return flags | FLAG_BAD_L4
  if (proto === PROTO_ICMPV6) return flags | extractIcmpv6(pool, h, key, at, p, end)
  return flags | extractTransport(pool, h, key, at, proto, p, end)
}

/** RFC 4443, and of neighbour discovery (RFC 4861 §4.3, §4.4) the target and the link-layer address options. */
function extractIcmpv6(
  pool: PacketPool,
  h: number,
  key: Uint32Array,
  at: number,
  p: number,
  end: number,
): number {
  const dv = pool.dv
  if (end - p < 8) return FLAG_BAD_L4
  const type = dv.getUint8(p)
  pool.l4[h] = p
  key[at + W_TP] = (type << 16) | dv.getUint8(p + 1)
  if (type === 128 || type === 129) key[at + W_L4] = dv.getUint16(p + 4)
  if ((type !== 135 && type !== 136) || end - p < 24) return 0
  for (let i = 0; i < 4; i++) key[at + W_ND_TARGET + i] = dv.getInt32(p + 8 + 4 * i)
  let o = p + 24
  while (end - o >= 8) {
    const length = dv.getUint8(o + 1) << 3
    if (length === 0 || length > end - o) break
    const option = dv.getUint8(o)
    if (option === 1) {
      key[at + W_ND_LL] = dv.getInt32(o + 2)
      key[at + W_ND_LL + 1] = (dv.getUint16(o + 6) << 16) | (key[at + W_ND_LL + 1] & 0xffff)
    } else if (option === 2) {
      key[at + W_ND_LL + 1] = (key[at + W_ND_LL + 1] & 0xffff0000) | dv.getUint16(o + 2)
      key[at + W_ND_LL + 2] = dv.getInt32(o + 4)
    }
    o += length
  }
  return 0
}
