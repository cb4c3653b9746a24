/**
 * How a row of the table of match fields is written down: name, size, place, text form, prerequisite, NXM and
 * OXM ids. See meta-flow.ts for what the columns mean.
 */

import type { MetaFlowField, OxmId, Prerequisite, TextForm } from './meta-flow.ts'

export type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7
export type RegisterIndex = Digit | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15

export type FieldName =
  | 'dp_hash'
  | 'recirc_id'
  | 'packet_type'
  | 'conj_id'
  | 'tun_id'
  | 'tun_src'
  | 'tun_dst'
  | 'tun_ipv6_src'
  | 'tun_ipv6_dst'
  | 'tun_flags'
  | 'tun_ttl'
  | 'tun_tos'
  | 'tun_gbp_id'
  | 'tun_gbp_flags'
  | 'tun_erspan_idx'
  | 'tun_erspan_ver'
  | 'tun_erspan_dir'
  | 'tun_erspan_hwid'
  | 'tun_gtpu_flags'
  | 'tun_gtpu_msgtype'
  | 'metadata'
  | 'in_port'
  | 'in_port_oxm'
  | 'actset_output'
  | 'skb_priority'
  | 'pkt_mark'
  | 'ct_state'
  | 'ct_zone'
  | 'ct_mark'
  | 'ct_label'
  | 'ct_nw_proto'
  | 'ct_nw_src'
  | 'ct_nw_dst'
  | 'ct_ipv6_src'
  | 'ct_ipv6_dst'
  | 'ct_tp_src'
  | 'ct_tp_dst'
  | 'eth_src'
  | 'eth_dst'
  | 'eth_type'
  | 'vlan_tci'
  | 'dl_vlan'
  | 'vlan_vid'
  | 'dl_vlan_pcp'
  | 'vlan_pcp'
  | 'mpls_label'
  | 'mpls_tc'
  | 'mpls_bos'
  | 'mpls_ttl'
  | 'ip_src'
  | 'ip_dst'
  | 'ipv6_src'
  | 'ipv6_dst'
  | 'ipv6_label'
  | 'nw_proto'
  | 'nw_tos'
  | 'ip_dscp'
  | 'nw_ecn'
  | 'nw_ttl'
  | 'ip_frag'
  | 'arp_op'
  | 'arp_spa'
  | 'arp_tpa'
  | 'arp_sha'
  | 'arp_tha'
  | 'tcp_src'
  | 'tcp_dst'
  | 'tcp_flags'
  | 'udp_src'
  | 'udp_dst'
  | 'sctp_src'
  | 'sctp_dst'
  | 'icmp_type'
  | 'icmp_code'
  | 'icmpv6_type'
  | 'icmpv6_code'
  | 'nd_target'
  | 'nd_sll'
  | 'nd_tll'
  | 'nd_reserved'
  | 'nd_options_type'
  | 'nsh_flags'
  | 'nsh_mdtype'
  | 'nsh_np'
  | 'nsh_spi'
  | 'nsh_si'
  | 'nsh_c1'
  | 'nsh_c2'
  | 'nsh_c3'
  | 'nsh_c4'
  | 'nsh_ttl'
  | `reg${RegisterIndex}`
  | `xreg${Digit}`
  | `xxreg${0 | 1 | 2 | 3}`
  | `tun_metadata${number}`

export type Row = Omit<MetaFlowField, 'id'>

/** Where a field lies: its word, the shift of its lowest bit, and its width if that is not its `bits`. */
type Place = readonly [word: number, shift: number, width?: number]

/** Bits a value may use, when not all of its bytes. */
export const width = (bytes: number, bits: number): readonly [number, number] => [bytes, bits]

const CLASSES: Record<string, readonly [oxmClass: number, experimenter: number]> = {
  NXM_OF: [0x0000, 0],
  NXM_NX: [0x0001, 0],
  OXM_OF: [0x8000, 0],
  OXM_OF_PKT: [0x8001, 0],
  NXOXM_ET: [0xffff, 0x0000_2320],
  NXOXM_NSH: [0xffff, 0x005a_d650],
  ONFOXM_ET: [0xffff, 0x4f4e_4600],
  ERICOXM_OF: [0x1000, 0],
}

/** `NXM_OF_ETH_SRC(2)` or, for OXM, `OXM_OF_ETH_SRC(4) 1.2`: blank separated, the version without "1." as in 2. */
function ids(text: string): OxmId[] {
  const out: OxmId[] = []
  for (const [, name, number, minor] of text.matchAll(/(\w+)\((\d+)\)(?: 1\.(\d))?/g)) {
    const prefix = name.startsWith('OXM_OF_PKT_') ? 'OXM_OF_PKT' : name.split('_', 2).join('_')
    const [oxmClass, experimenter] = CLASSES[prefix]
    const since = minor === undefined ? 0 : Number(minor) + 1
    out.push({ name, class: oxmClass, field: Number(number), experimenter, since })
  }
  return out
}

export interface Extra {
  aliases?: readonly string[]
  readOnly?: boolean
  exact?: boolean
  variable?: boolean
  low?: number
}

export function row(
  name: FieldName,
  size: number | readonly [bytes: number, bits: number],
  [word, shift, stored]: Place,
  form: TextForm,
  prerequisite: Prerequisite,
  oxm: string,
  extra: Extra = {},
): Row {
  const [bytes, bits] = typeof size === 'number' ? [size, size * 8] : size
  const w = stored ?? bits
  // `shift` counts from the end of the last word the field reaches into.
  const words = Math.ceil((w + shift) / 32)
  return {
    name,
    aliases: extra.aliases ?? [],
    bytes,
    bits,
    at: (word + words) * 32 - shift - w,
    width: w,
    maskable: extra.exact !== true,
    writable: extra.readOnly !== true,
    prerequisite,
    form,
    oxm: ids(oxm),
    variable: extra.variable === true,
    low: extra.low ?? 0,
  }
}

export const RO = { readOnly: true }
export const EXACT = { exact: true }
export const EXACT_RO = { exact: true, readOnly: true }
export const aka = (name: string, extra: Extra = {}): Extra => ({ ...extra, aliases: [name] })
export const run = (n: number, make: (i: number) => Row): Row[] =>
  Array.from({ length: n }, (_, i) => make(i))
