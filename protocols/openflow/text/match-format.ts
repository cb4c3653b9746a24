/** A match as ovs-ofctl dump-flows prints it, byte for byte. */

import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  W_ACTSET_OUTPUT,
  W_CT_NW_PROTO,
  W_CT_STATE,
  W_CT_ZONE,
  W_IN_PORT,
  W_IPV6_LABEL,
  W_MPLS,
  W_ND_RESERVED,
  W_NSH,
  W_NW,
  W_PACKET_TYPE,
  W_RECIRC,
  W_TP,
  W_TUN_ERSPAN,
  W_TUN_ERSPAN_IDX,
  W_TUN_GBP,
  W_TUN_GTPU,
  W_TUN_IP,
  W_TYPE,
  W_VLAN,
} from '../../flow-key.ts'
import { FIELDS, type FieldName, MFF } from '../../meta-flow.ts'
import { DEFAULT_PRIORITY, type Match } from '../match.ts'
import { getMatchField, hasDefaultPacketType, isZero } from '../match-field.ts'
import { ETH_MPLS, ETH_MPLS_MCAST, ETH_NSH, ETH_RARP, isArp, isIp } from '../prerequisites.ts'
import { formatFieldValue, formatFragment, formatPacketType } from './field-value.ts'
import { CT_STATES, formatFlags, formatMaskedFlags, TCP_FLAGS, TUNNEL_FLAGS } from './flags.ts'
import { formatPort, type NameMaps } from './names.ts'
import { formatHash, formatHex } from './scan.ts'

const hex = (v: number, digits = 0): string => `0x${v.toString(16).padStart(digits, '0')}`

class Parts {
  private readonly list: string[] = []
  private readonly match: Match
  private readonly names: NameMaps | undefined

  constructor(match: Match, names: NameMaps | undefined) {
    this.match = match
    this.names = names
  }

  add(text: string): void {
    this.list.push(text)
  }

  /** A field in the general form, if it is matched on. */
  field(field: FieldName, name: string = field): void {
    const f = FIELDS[MFF[field]]
    const { value, mask } = getMatchField(this.match, f)
    if (!isZero(mask)) this.add(`${name}=${formatFieldValue(f, value, mask, this.names)}`)
  }

  /** `decimal`, or `0xvalue/0xmask` of so many digits. */
  number(name: string, value: number, mask: number, whole: number, digits = 0): void {
    if (mask === 0) return
    this.add(`${name}=${mask === whole ? value : `${hex(value, digits)}/${hex(mask, digits)}`}`)
  }

  /** `0xvalue` or `0xvalue/0xmask` of one word. */
  word(name: string, word: number): void {
    const mask = this.match.mask[word]
    const value = this.match.value[word]
    if (mask === 0) return
    this.add(`${name}=${formatHash(value)}${mask === 0xffff_ffff ? '' : `/${formatHash(mask)}`}`)
  }

  join(): string {
    return this.list.join(',')
  }
}

const PROTOCOLS: Record<number, Record<number, string>> = {
  [ETH_IPV4]: { 1: 'icmp', 6: 'tcp', 17: 'udp', 132: 'sctp' },
  [ETH_IPV6]: { 58: 'icmp6', 6: 'tcp6', 17: 'udp6', 132: 'sctp6' },
}
const TYPES: Record<number, string> = {
  [ETH_IPV4]: 'ip',
  [ETH_IPV6]: 'ipv6',
  [ETH_ARP]: 'arp',
  [ETH_RARP]: 'rarp',
  [ETH_MPLS]: 'mpls',
  [ETH_MPLS_MCAST]: 'mplsm',
}

function metadata(p: Parts, { value, mask }: Match, names: NameMaps | undefined): void {
  p.field('pkt_mark')
  p.word('recirc_id', W_RECIRC)
  p.field('dp_hash')
  p.field('conj_id')
  p.field('skb_priority')
  if (mask[W_ACTSET_OUTPUT] !== 0) p.add(`actset_output=${formatPort(value[W_ACTSET_OUTPUT], names)}`)
  const state = mask[W_CT_STATE]
  if (state === 0xff) p.add(`ct_state=${formatFlags(CT_STATES, value[W_CT_STATE])}`)
  else if (state !== 0) p.add(`ct_state=${formatMaskedFlags(CT_STATES, value[W_CT_STATE], state, 0xff)}`)
  p.number('ct_zone', value[W_CT_ZONE], mask[W_CT_ZONE], 0xffff)
  p.field('ct_mark')
  p.field('ct_label')
  p.field('ct_nw_src')
  p.field('ct_ipv6_src')
  p.field('ct_nw_dst')
  p.field('ct_ipv6_dst')
  if (mask[W_CT_NW_PROTO] === 0) return
  p.field('ct_nw_proto')
  ports(p, 'ct_tp', value[W_CT_NW_PROTO + 1], mask[W_CT_NW_PROTO + 1])
}

function ports(p: Parts, prefix: string, value: number, mask: number): void {
  p.number(`${prefix}_src`, value >>> 16, mask >>> 16, 0xffff)
  p.number(`${prefix}_dst`, value & 0xffff, mask & 0xffff, 0xffff)
}

function tunnel(p: Parts, { value, mask, tunMetadata }: Match): void {
  for (const f of ['tun_id', 'tun_src', 'tun_dst', 'tun_ipv6_src', 'tun_ipv6_dst'] as const) p.field(f)
  p.number('tun_gbp_id', value[W_TUN_GBP] >>> 16, mask[W_TUN_GBP] >>> 16, 0xffff)
  if ((mask[W_TUN_GBP] & 0xff00) !== 0) p.add(`tun_gbp_flags=${formatHash((value[W_TUN_GBP] >>> 8) & 0xff)}`)
  if (mask[W_TUN_IP] >>> 24 !== 0) p.add(`tun_tos=${(value[W_TUN_IP] >>> 24).toString(16)}`)
  if ((mask[W_TUN_IP] & 0xff_0000) !== 0) p.add(`tun_ttl=${(value[W_TUN_IP] >>> 16) & 0xff}`)
  const erspan = value[W_TUN_ERSPAN]
  const erspanMask = mask[W_TUN_ERSPAN]
  const version = erspan >>> 24
  if (erspanMask >>> 24 !== 0) p.add(`tun_erspan_ver=${version}`)
  if (mask[W_TUN_ERSPAN_IDX] !== 0 && version === 1)
    p.add(`tun_erspan_idx=${formatHash(value[W_TUN_ERSPAN_IDX])}`)
  if ((erspanMask & 0xff_0000) !== 0 && version === 2) p.add(`tun_erspan_dir=${(erspan >>> 16) & 0xff}`)
  if ((erspanMask & 0xff00) !== 0 && version === 2)
    p.add(`tun_erspan_hwid=${formatHash((erspan >>> 8) & 0xff)}`)
  if ((mask[W_TUN_GTPU] & 0xff00) !== 0) p.add(`gtpu_flags=${formatHash((value[W_TUN_GTPU] >>> 8) & 0xff)}`)
  if ((mask[W_TUN_GTPU] & 0xff) !== 0) p.add(`gtpu_msgtype=${value[W_TUN_GTPU] & 0xff}`)
  const flags = mask[W_TUN_IP] & 0x1f
  // Open vSwitch puts a second comma behind them.
  if (flags !== 0) p.add(`tun_flags=${formatMaskedFlags(TUNNEL_FLAGS, value[W_TUN_IP] & 0x1f, flags, 0x1f)}`)
  for (const e of tunMetadata ?? []) {
    const name = `tun_metadata${e.index}`
    if (e.value.length === 0 || (e.mask !== undefined && isZero(e.mask))) p.add(name)
    else p.add(`${name}=${formatHex(e.value)}${e.mask === undefined ? '' : `/${formatHex(e.mask)}`}`)
  }
}

function vlan(p: Parts, tci: number, mask: number, suffix = ''): void {
  if (mask === 0) return
  const vid = mask & 0xfff
  const pcp = mask & 0xe000
  const present = (mask & tci & 0x1000) !== 0
  if (present && (vid === 0 || vid === 0xfff) && (pcp === 0 || pcp === 0xe000) && (vid | pcp) !== 0) {
    if (vid !== 0) p.add(`dl_vlan${suffix}=${tci & 0xfff}`)
    if (pcp !== 0) p.add(`dl_vlan_pcp${suffix}=${tci >>> 13}`)
  } else p.add(`vlan_tci${suffix}=${hex(tci, 4)}${mask === 0xffff ? '' : `/${hex(mask, 4)}`}`)
}

function nsh(p: Parts, { value, mask }: Match): void {
  const byte = (name: string, word: number, shift: number): void =>
    p.number(name, (value[word] >>> shift) & 0xff, (mask[word] >>> shift) & 0xff, 0xff, 2)
  byte('nsh_flags', W_NSH, 24)
  byte('nsh_ttl', W_NSH, 16)
  byte('nsh_mdtype', W_NSH, 8)
  byte('nsh_np', W_NSH, 0)
  const spi = mask[W_NSH + 1] >>> 8
  const v = value[W_NSH + 1] >>> 8
  if (spi !== 0) p.add(`nsh_spi=${hex(v)}${spi === 0xff_ffff ? '' : `/${hex(spi)}`}`)
  byte('nsh_si', W_NSH + 1, 0)
  if (((mask[W_NSH] >>> 8) & 0xff) !== 0xff || ((value[W_NSH] >>> 8) & 0xff) !== 1) return
  for (let i = 0; i < 4; i++) {
    const w = W_NSH + 2 + i
    if (mask[w] !== 0) {
      p.add(`nsh_c${i + 1}=${hex(value[w])}${mask[w] === 0xffff_ffff ? '' : `/${hex(mask[w])}`}`)
    }
  }
}

function addresses(p: Parts, m: Match, ethType: number): void {
  if (ethType === ETH_IPV6) {
    p.field('ipv6_src')
    p.field('ipv6_dst')
    const mask = m.mask[W_IPV6_LABEL]
    const v = hex(m.value[W_IPV6_LABEL], 5)
    if (mask !== 0) p.add(`ipv6_label=${v}${mask === 0xffff_ffff ? '' : `/${hex(mask, 5)}`}`)
  } else if (isArp(ethType)) {
    p.field('arp_spa')
    p.field('arp_tpa')
  } else if (ethType === ETH_NSH) nsh(p, m)
  else {
    p.field('ip_src', 'nw_src')
    p.field('ip_dst', 'nw_dst')
  }
}

function mpls(p: Parts, { value, mask }: Match): void {
  const v = value[W_MPLS]
  const m = mask[W_MPLS]
  if ((m & 0xffff_f000) !== 0) p.add(`mpls_label=${v >>> 12}`)
  if ((m & 0xe00) !== 0) p.add(`mpls_tc=${(v >>> 9) & 7}`)
  if ((m & 0xff) !== 0) p.add(`mpls_ttl=${v & 0xff}`)
  if ((m & 0x100) !== 0) p.add(`mpls_bos=${(v >>> 8) & 1}`)
  // No rule matches on the entries behind the first; a megaflow may.
  for (const i of [1, 2]) p.number(`mpls_lse${i}`, value[W_MPLS + i], mask[W_MPLS + i], 0xffff_ffff)
}

function network(p: Parts, m: Match, ethType: number, skipProtocol: boolean): void {
  addresses(p, m, ethType)
  const nw = m.value[W_NW]
  const mask = m.mask[W_NW]
  if (!skipProtocol && mask >>> 24 !== 0) p.add(`${isArp(ethType) ? 'arp_op' : 'nw_proto'}=${nw >>> 24}`)
  if (isArp(ethType)) {
    p.field('arp_sha')
    p.field('arp_tha')
  }
  if ((mask & 0xfc_0000) !== 0) p.add(`nw_tos=${(nw >>> 16) & 0xfc}`)
  if ((mask & 0x03_0000) !== 0) p.add(`nw_ecn=${(nw >>> 16) & 3}`)
  if ((mask & 0xff00) !== 0) p.add(`nw_ttl=${(nw >>> 8) & 0xff}`)
  if (ethType === ETH_MPLS || ethType === ETH_MPLS_MCAST) mpls(p, m)
  const frag = (m.mask[W_TYPE] >>> 2) & 3
  if (frag !== 0) p.add(`nw_frag=${formatFragment((m.value[W_TYPE] >>> 2) & 3, frag)}`)
}

function transport(p: Parts, m: Match, ethType: number): void {
  const protocol = m.value[W_NW] >>> 24
  const icmp6 = ethType === ETH_IPV6 && protocol === 58
  if (icmp6 || (ethType === ETH_IPV4 && protocol === 1)) {
    p.number('icmp_type', m.value[W_TP] >>> 16, m.mask[W_TP] >>> 16, 0xffff)
    p.number('icmp_code', m.value[W_TP] & 0xffff, m.mask[W_TP] & 0xffff, 0xffff)
  } else ports(p, 'tp', m.value[W_TP], m.mask[W_TP])
  if (icmp6) {
    p.field('nd_target')
    p.field('nd_sll')
    p.field('nd_tll')
    p.number('nd_reserved', m.value[W_ND_RESERVED], m.mask[W_ND_RESERVED], 0xffff_ffff, 8)
    p.field('nd_options_type')
  }
  const flags = FIELDS[MFF.tcp_flags]
  const { value, mask } = getMatchField(m, flags)
  if (!isZero(mask) && isIp(ethType) && protocol === 6) {
    const n = (b: Uint8Array): number => ((b[0] << 8) | b[1]) & 0xfff
    p.add(`tcp_flags=${formatMaskedFlags(TCP_FLAGS, n(value), n(mask), 0xfff)}`)
  }
}

/** `priority` is printed unless it is the default one. */
export function formatMatch(match: Match, names?: NameMaps, priority = DEFAULT_PRIORITY): string {
  const p = new Parts(match, names)
  if (priority !== DEFAULT_PRIORITY) p.add(`priority=${priority}`)
  metadata(p, match, names)
  const { value, mask } = match
  let ethType = value[W_TYPE] >>> 16
  if (mask[W_PACKET_TYPE] !== 0 && !hasDefaultPacketType(match)) {
    p.add(formatPacketType(value[W_PACKET_TYPE], mask[W_PACKET_TYPE]))
    if (value[W_PACKET_TYPE] >>> 16 === 1) ethType = value[W_PACKET_TYPE] & 0xffff
  }
  const typed = mask[W_TYPE] >>> 16 !== 0
  const protocol = mask[W_NW] >>> 24 === 0 ? undefined : PROTOCOLS[ethType]?.[value[W_NW] >>> 24]
  const word = typed ? (protocol ?? TYPES[ethType]) : undefined
  if (word !== undefined) p.add(word)
  for (let i = 0; i < 16; i++) p.field(`reg${i}` as FieldName)
  tunnel(p, match)
  p.field('metadata')
  if (mask[W_IN_PORT] !== 0) p.add(`in_port=${formatPort(value[W_IN_PORT], names)}`)
  vlan(p, value[W_VLAN] >>> 16, mask[W_VLAN] >>> 16)
  // No rule asks for it; traces tell of it.
  vlan(p, value[W_VLAN] & 0xffff, mask[W_VLAN] & 0xffff, '1')
  p.field('eth_src', 'dl_src')
  p.field('eth_dst', 'dl_dst')
  if (word === undefined && typed) p.add(`dl_type=${hex(ethType, 4)}`)
  network(p, match, ethType, typed && protocol !== undefined)
  transport(p, match, ethType)
  return p.join()
}
