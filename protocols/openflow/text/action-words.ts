/** Kinds of actions in lists of what a switch, table or group can do, in the words and order of ovs-ofctl. */

import type { OfActionType } from '../action.ts'

const WORDS: readonly (readonly [type: OfActionType, word: string])[] = [
  ['output', 'output'],
  ['group', 'group'],
  ['enqueue', 'enqueue'],
  ['set_field', 'set_field'],
  ['set_vlan_vid', 'set_vlan_vid'],
  ['set_vlan_pcp', 'set_vlan_pcp'],
  ['strip_vlan', 'strip_vlan'],
  ['push_vlan', 'push_vlan'],
  ['set_eth_src', 'mod_dl_src'],
  ['set_eth_dst', 'mod_dl_dst'],
  ['set_ipv4_src', 'mod_nw_src'],
  ['set_ipv4_dst', 'mod_nw_dst'],
  ['set_ip_dscp', 'mod_nw_tos'],
  ['set_ip_ecn', 'mod_nw_ecn'],
  ['set_ip_ttl', 'mod_nw_ttl'],
  ['set_l4_src_port', 'mod_tp_src'],
  ['set_l4_dst_port', 'mod_tp_dst'],
  ['dec_ttl', 'dec_ttl'],
  ['set_mpls_label', 'set_mpls_label'],
  ['set_mpls_tc', 'set_mpls_tc'],
  ['set_mpls_ttl', 'set_mpls_ttl'],
  ['dec_mpls_ttl', 'dec_mpls_ttl'],
  ['push_mpls', 'push_mpls'],
  ['pop_mpls', 'pop_mpls'],
  ['set_queue', 'set_queue'],
]

export function formatActionTypes(types: readonly OfActionType[]): string {
  return WORDS.filter(([type]) => types.includes(type))
    .map(([, word]) => word)
    .join(' ')
}
