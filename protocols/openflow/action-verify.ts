/** What a list of actions must keep to whatever the flow is: the order of instructions, and what nests in what. */

import type { Decoded } from './action-decode.ts'
import { requiresCt } from './ct-codec.ts'
import { fault, type OfFault } from './error.ts'
import { OF15, type OfVersion } from './version.ts'

/** Instructions in the order in which OpenFlow carries them out. */
const METER = 0
const APPLY = 1
const CLEAR = 2
const WRITE = 3
const METADATA = 4
const GOTO = 5

function instructionOf(type: Decoded['type'], version: OfVersion): number {
  switch (type) {
    case 'meter':
      return version >= OF15 ? APPLY : METER
    case 'clear_actions':
      return CLEAR
    case 'write_actions':
      return WRITE
    case 'write_metadata':
      return METADATA
    case 'goto_table':
      return GOTO
    default:
      return APPLY
  }
}

const IN_ACTION_SET: ReadonlySet<Decoded['type']> = new Set([
  'output',
  'group',
  'ct',
  'ct_clear',
  'resubmit',
  'strip_vlan',
  'pop_mpls',
  'decap',
  'encap',
  'push_mpls',
  'push_vlan',
  'dec_ttl',
  'dec_mpls_ttl',
  'dec_nsh_ttl',
  'set_field',
  'move',
  'set_eth_src',
  'set_eth_dst',
  'set_ip_dscp',
  'set_ip_ecn',
  'set_ip_ttl',
  'set_ipv4_src',
  'set_ipv4_dst',
  'set_l4_src_port',
  'set_l4_dst_port',
  'set_mpls_label',
  'set_mpls_tc',
  'set_mpls_ttl',
  'set_queue',
  'set_tunnel',
  'set_vlan_pcp',
  'set_vlan_vid',
])

export function isAllowedInActionSet(a: Decoded): boolean {
  return IN_ACTION_SET.has(a.type)
}

function nestedFault(a: Decoded, version: OfVersion, inClone: boolean): OfFault | undefined {
  if (a.type === 'nat') return fault('OFPBAC_BAD_SET_ARGUMENT')
  const field =
    a.type === 'set_field'
      ? a.field
      : a.type === 'move'
        ? a.dst.field
        : a.type === 'pop'
          ? a.subfield.field
          : -1
  if (requiresCt(field)) return fault('OFPBAC_BAD_SET_ARGUMENT')
  if (inClone && a.type === 'meter') return fault('OFPBAC_BAD_TYPE')
  if (a.type === 'clone') return verifyActions(a.actions, version, false, true)
  return undefined
}

/** The fault of a list in which instructions may stand or not; undefined if there is none. */
export function verifyActions(
  list: readonly Decoded[],
  version: OfVersion,
  instructions: boolean,
  inClone = false,
): OfFault | undefined {
  let current = -1
  for (const a of list) {
    if (a.type === 'conjunction') {
      const alone = list.every((x) => x.type === 'conjunction' || x.type === 'note')
      return alone ? undefined : fault('NXBAC_BAD_CONJUNCTION')
    }
    const nested = nestedFault(a, version, inClone)
    if (nested !== undefined) return nested
    const next = instructionOf(a.type, version)
    if (current === APPLY ? next < current : next <= current) return fault('OFPBAC_UNSUPPORTED_ORDER')
    if (!instructions && next !== APPLY) return fault('OFPBIC_UNSUP_INST')
    current = next
  }
  return undefined
}
