/** Packets as ovs-ofctl monitor describes them: what a flow for exactly this packet would match. */

import { extract } from '../../engine/flow/extract.ts'
import { PacketPool } from '../../engine/memory/packet-pool.ts'
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  KEY_WORDS,
  VLAN_PRESENT,
  W_NW,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import { type FieldName, fieldByName } from '../../protocols/meta-flow.ts'
import { emptyMatch } from '../../protocols/openflow/match.ts'
import {
  getMatchField,
  ones,
  setDefaultPacketType,
  setMatchField,
} from '../../protocols/openflow/match-field.ts'
import { formatMatch } from '../../protocols/openflow/text/match-format.ts'

const IP: readonly FieldName[] = ['nw_tos', 'nw_ecn', 'nw_ttl', 'ip_frag']
const L4: Readonly<Record<number, readonly FieldName[]>> = {
  1: ['icmp_type', 'icmp_code'],
  6: ['tcp_src', 'tcp_dst', 'tcp_flags'],
  17: ['udp_src', 'udp_dst'],
  58: ['icmpv6_type', 'icmpv6_code'],
  132: ['sctp_src', 'sctp_dst'],
}

function fieldsOf(ethType: number, protocol: number): readonly FieldName[] {
  const base: readonly FieldName[] = ['eth_type', 'eth_src', 'eth_dst']
  if (ethType === ETH_ARP) return [...base, 'arp_spa', 'arp_tpa', 'arp_op', 'arp_sha', 'arp_tha']
  if (ethType === ETH_IPV4) return [...base, 'ip_src', 'ip_dst', 'nw_proto', ...IP, ...(L4[protocol] ?? [])]
  if (ethType !== ETH_IPV6) return base
  return [...base, 'ipv6_src', 'ipv6_dst', 'ipv6_label', 'nw_proto', ...IP, ...(L4[protocol] ?? [])]
}

/** One line; of a packet that is no Ethernet frame its length. */
export function packetText(packet: Uint8Array): string {
  const pool = new PacketPool(1)
  const h = pool.alloc()
  pool.u8.set(packet, pool.off[h])
  pool.len[h] = packet.length
  const key = new Uint32Array(KEY_WORDS)
  if (extract(pool, h, 0, key, 0) === 0) return `${packet.length} bytes`
  const exact = emptyMatch()
  exact.value.set(key)
  exact.mask.fill(0xffff_ffff)
  const match = emptyMatch()
  setDefaultPacketType(match)
  for (const name of fieldsOf(key[W_TYPE]! >>> 16, key[W_NW]! >>> 24)) {
    const field = fieldByName(name)!
    setMatchField(match, field, getMatchField(exact, field).value, ones(field.bytes))
  }
  const vlan = fieldByName('vlan_tci')!
  setMatchField(match, vlan, getMatchField(exact, vlan).value, ones(2))
  const text = formatMatch(match)
  // A tagged packet is shown with the place for its inner tag.
  const inner = key[W_VLAN]! & 0xffff
  if (((key[W_VLAN]! >>> 16) & VLAN_PRESENT) === 0) return text
  const second = `vlan_tci1=0x${inner.toString(16).padStart(4, '0')}`
  return text.replace(/(,dl_vlan_pcp=\d+)/, `$1,${second}`)
}
