/** The flow that a packet belongs to: a match on all that it says of itself. */

import { extract } from '../../engine/flow/extract.ts'
import { PacketPool } from '../../engine/memory/packet-pool.ts'
import { ETH_ARP, ETH_IPV4, ETH_IPV6, KEY_WORDS, W_NW, W_TYPE } from '../../protocols/flow-key.ts'
import { FIELDS, type FieldName, MFF } from '../../protocols/meta-flow.ts'
import { emptyMatch, type Match } from '../../protocols/openflow/match.ts'
import {
  getMatchField,
  ones,
  setDefaultPacketType,
  setMatchField,
} from '../../protocols/openflow/match-field.ts'

const ETHERNET: readonly FieldName[] = ['eth_src', 'eth_dst', 'vlan_tci', 'eth_type']
const ARP: readonly FieldName[] = ['arp_spa', 'arp_tpa', 'arp_op']
const IP: readonly FieldName[] = ['nw_proto', 'nw_tos']
const L4: Readonly<Record<number, readonly FieldName[]>> = {
  1: ['icmp_type', 'icmp_code'],
  6: ['tcp_src', 'tcp_dst'],
  17: ['udp_src', 'udp_dst'],
  58: ['icmpv6_type', 'icmpv6_code'],
  132: ['sctp_src', 'sctp_dst'],
}
/** What OpenFlow 1.0 has no match for. */
const FURTHER: readonly FieldName[] = [
  'nw_ecn',
  'nw_ttl',
  'ip_frag',
  'ipv6_label',
  'tcp_flags',
  'arp_sha',
  'arp_tha',
]
const FURTHER_OF: Readonly<Record<string, (ethType: number, protocol: number) => boolean>> = {
  ipv6_label: (type) => type === ETH_IPV6,
  tcp_flags: (type, protocol) => isIp(type) && protocol === 6,
  arp_sha: (type) => type === ETH_ARP,
  arp_tha: (type) => type === ETH_ARP,
}

const isIp = (ethType: number): boolean => ethType === ETH_IPV4 || ethType === ETH_IPV6

function fieldsOf(ethType: number, protocol: number, further: boolean): readonly FieldName[] {
  const list = [...ETHERNET]
  if (ethType === ETH_ARP) list.push(...ARP)
  if (ethType === ETH_IPV4) list.push('ip_src', 'ip_dst')
  if (ethType === ETH_IPV6) list.push('ipv6_src', 'ipv6_dst')
  if (isIp(ethType)) list.push(...IP, ...(L4[protocol] ?? []))
  if (!further) return list
  const has = (name: FieldName): boolean => FURTHER_OF[name]?.(ethType, protocol) ?? isIp(ethType)
  return [...list, ...FURTHER.filter(has)]
}

/** The key of a packet (protocols/flow-key.ts); undefined if it is shorter than an Ethernet header. */
export function packetKey(packet: Uint8Array): Uint32Array | undefined {
  const pool = new PacketPool(1)
  const h = pool.alloc()
  pool.u8.set(packet, pool.off[h]!)
  pool.len[h] = packet.length
  const key = new Uint32Array(KEY_WORDS)
  return extract(pool, h, 0, key, 0) === 0 ? undefined : key
}

/** An exact match for the packet with this key: on what OpenFlow 1.0 knows, or on all that its headers say. */
export function matchOfKey(key: Uint32Array, further: boolean): Match {
  const exact = emptyMatch()
  exact.value.set(key)
  exact.mask.fill(0xffff_ffff)
  const match = emptyMatch()
  setDefaultPacketType(match)
  for (const name of fieldsOf(key[W_TYPE]! >>> 16, key[W_NW]! >>> 24, further)) {
    const field = FIELDS[MFF[name]]!
    setMatchField(match, field, getMatchField(exact, field).value, ones(field.bytes))
  }
  return match
}
