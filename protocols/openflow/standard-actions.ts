/** Numbers of actions in the bitmaps of features, tables and groups: those actions that a version itself has. */

import type { OfActionType } from './action.ts'
import { OF10, OF11, type OfVersion } from './version.ts'

const ACTIONS10: readonly OfActionType[] = [
  'output',
  'set_vlan_vid',
  'set_vlan_pcp',
  'strip_vlan',
  'set_eth_src',
  'set_eth_dst',
  'set_ipv4_src',
  'set_ipv4_dst',
  'set_ip_dscp',
  'set_l4_src_port',
  'set_l4_dst_port',
  'enqueue',
]

const ACTIONS11: Readonly<Record<number, OfActionType>> = {
  0: 'output',
  1: 'set_vlan_vid',
  2: 'set_vlan_pcp',
  3: 'set_eth_src',
  4: 'set_eth_dst',
  5: 'set_ipv4_src',
  6: 'set_ipv4_dst',
  7: 'set_ip_dscp',
  8: 'set_ip_ecn',
  9: 'set_l4_src_port',
  10: 'set_l4_dst_port',
  13: 'set_mpls_label',
  14: 'set_mpls_tc',
  15: 'set_mpls_ttl',
  16: 'dec_mpls_ttl',
  17: 'push_vlan',
  18: 'strip_vlan',
  19: 'push_mpls',
  20: 'pop_mpls',
  21: 'set_queue',
  22: 'group',
  23: 'set_ip_ttl',
  24: 'dec_ttl',
}

/** From 1.2 on set_field does what most of them did. */
const ACTIONS12: Readonly<Record<number, OfActionType>> = {
  0: 'output',
  15: 'set_mpls_ttl',
  16: 'dec_mpls_ttl',
  17: 'push_vlan',
  18: 'strip_vlan',
  19: 'push_mpls',
  20: 'pop_mpls',
  21: 'set_queue',
  22: 'group',
  23: 'set_ip_ttl',
  24: 'dec_ttl',
  25: 'set_field',
}

function numbersOf(version: OfVersion): readonly (readonly [number, OfActionType])[] {
  const table = version === OF10 ? ACTIONS10 : version === OF11 ? ACTIONS11 : ACTIONS12
  return Object.entries(table).map(([n, type]) => [Number(n), type] as const)
}

export function actionBits(types: readonly OfActionType[], version: OfVersion): number {
  let bits = 0
  for (const [n, type] of numbersOf(version)) if (types.includes(type)) bits |= 1 << n
  return bits
}

export function actionsOfBits(bits: number, version: OfVersion): OfActionType[] {
  return numbersOf(version).flatMap(([n, type]) => ((bits & (1 << n)) === 0 ? [] : [type]))
}
