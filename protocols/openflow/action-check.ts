/**
 * Whether actions suit the flow that they stand in: a field may be set only where the match, and the actions
 * before, say that the packet has it (ovs-actions(7), "Inconsistencies").
 */

import {
  ETH_IPV4,
  ETH_IPV6,
  VLAN_PRESENT,
  W_CT_STATE,
  W_NW,
  W_PACKET_TYPE,
  W_TYPE,
  W_VLAN,
} from '../flow-key.ts'
import { FIELDS, MFF } from '../meta-flow.ts'
import type { CtAction, LearnAction, OfAction, Subfield } from './action.ts'
import { outputPortIsValid } from './action-decode.ts'
import { fault, type OfErrorName, type OfFault } from './error.ts'
import { copyMatch, emptyMatch, type Match } from './match.ts'
import { getMatchField, setMatchField } from './match-field.ts'
import { OFPP_CONTROLLER, OFPP_IN_PORT, OFPP_LOCAL, OFPP_MAX, OFPP_NONE } from './port.ts'
import { CS_INVALID, ctIsValid, flowEthType, isIp, prerequisitesHold } from './prerequisites.ts'
import { bigOf, destinationRefusal, putBits, sourceRefusal } from './subfield.ts'

export interface CheckOptions {
  /** The flow's table, 255 if unknown: goto_table must lead further. */
  table?: number
  /** How many tables there are (default 255). */
  tables?: number
}

const OFPM_MAX = 0xffff_0000
const PT_UNKNOWN = 0x0000_ffff

function setEthType(m: Match, type: number): void {
  m.value[W_TYPE] = (type << 16) | (m.value[W_TYPE] & 0xffff)
}

function source(m: Match, s: Subfield): OfErrorName | undefined {
  const refused = sourceRefusal(s)
  if (refused !== undefined) return refused
  return prerequisitesHold(FIELDS[s.field], m.value, m.mask) ? undefined : 'OFPBAC_MATCH_INCONSISTENT'
}

function destination(m: Match, s: Subfield): OfErrorName | undefined {
  return source(m, s) ?? destinationRefusal(s)
}

function checkLearn(m: Match, a: LearnAction): OfErrorName | undefined {
  const learned = emptyMatch()
  for (const s of a.specs) {
    const refused = 'src' in s ? source(m, s.src) : undefined
    if (refused !== undefined) return refused
    if (s.to === 'load') {
      const bad = destination(learned, s.dst)
      if (bad !== undefined) return bad
    } else if (s.to === 'match') {
      const bad = source(learned, s.dst)
      if (bad !== undefined) return bad
      if (!('value' in s)) continue
      const field = FIELDS[s.dst.field]
      if (field.variable) continue
      const { value, mask } = getMatchField(learned, field)
      putBits(mask, s.dst.ofs, s.nBits, (1n << BigInt(s.nBits)) - 1n)
      putBits(value, s.dst.ofs, s.nBits, bigOf(s.value))
      setMatchField(learned, field, value, mask)
    }
  }
  return undefined
}

function checkCt(m: Match, a: CtAction): OfErrorName | undefined {
  const type = flowEthType(m.value)
  const protocol = m.value[W_NW] >>> 24
  const wrong =
    !isIp(type) ||
    ((m.value[W_CT_STATE] & CS_INVALID) !== 0 && a.commit) ||
    (a.alg === 21 && protocol !== 6) ||
    (a.alg === 69 && protocol !== 17)
  if (wrong) return 'OFPBAC_MATCH_INCONSISTENT'
  if (typeof a.zone !== 'number') return source(m, a.zone)
  const natType = a.nat?.minAddress === undefined ? type : a.nat.minAddress.length === 4 ? ETH_IPV4 : ETH_IPV6
  if (natType !== type) return 'OFPBAC_MATCH_INCONSISTENT'
  return checkList(a.exec, m, {})?.error
}

function checkSetField(m: Match, a: OfAction & { type: 'set_field' }): OfErrorName | undefined {
  const tagged = ((m.value[W_VLAN] >>> 16) & VLAN_PRESENT) !== 0
  if (!prerequisitesHold(FIELDS[a.field], m.value, m.mask) || (a.field === MFF.vlan_vid && !tagged)) {
    return 'OFPBAC_MATCH_INCONSISTENT'
  }
  if (a.field === MFF.vlan_tci) {
    m.value[W_VLAN] = (((a.value[0] << 8) | a.value[1]) << 16) | (m.value[W_VLAN] & 0xffff)
  }
  return undefined
}

function checkPorts(members: readonly number[]): OfErrorName | undefined {
  const bad = members.some((p) => p === OFPP_CONTROLLER || (p !== OFPP_NONE && !outputPortIsValid(p)))
  return bad ? 'OFPBAC_BAD_OUT_PORT' : undefined
}

/** Tags in the flow are counted, so that no third is pushed. */
function pushVlan(m: Match): OfErrorName | undefined {
  const w = m.value[W_VLAN]
  if ((w & VLAN_PRESENT) !== 0) return 'OFPBAC_BAD_TAG'
  m.value[W_VLAN] = (VLAN_PRESENT << 16) | (w >>> 16)
  return undefined
}

function check(m: Match, a: OfAction, { table = 255, tables = 255 }: CheckOptions): OfErrorName | undefined {
  switch (a.type) {
    case 'output':
    case 'output_trunc':
      return outputPortIsValid(a.port) ? undefined : 'OFPBAC_BAD_OUT_PORT'
    case 'enqueue':
      return a.port < OFPP_MAX || a.port === OFPP_IN_PORT || a.port === OFPP_LOCAL
        ? undefined
        : 'OFPBAC_BAD_OUT_PORT'
    case 'output_reg':
      return source(m, a.src)
    case 'bundle':
      return (a.dst === undefined ? undefined : destination(m, a.dst)) ?? checkPorts(a.members)
    case 'set_vlan_vid':
    case 'set_vlan_pcp':
      m.value[W_VLAN] |= VLAN_PRESENT << 16
      return undefined
    case 'strip_vlan':
      m.value[W_VLAN] <<= 16
      return undefined
    case 'push_vlan':
      return pushVlan(m)
    case 'push_mpls':
      setEthType(m, a.ethertype)
      m.value[W_NW] &= 0x00ff_ffff
      return undefined
    case 'pop_mpls':
      setEthType(m, a.ethertype)
      return undefined
    case 'set_field':
      return checkSetField(m, a)
    case 'move':
      return source(m, a.src) ?? destination(m, a.dst)
    case 'push':
      return source(m, a.subfield)
    case 'pop':
      return destination(m, a.subfield)
    case 'resubmit':
      return a.withCt && !ctIsValid(m.value, m.mask) ? 'OFPBAC_MATCH_INCONSISTENT' : undefined
    case 'learn':
      return checkLearn(m, a)
    case 'multipath':
    case 'check_pkt_larger':
      return destination(m, a.dst)
    case 'clone':
    case 'write_actions':
      return checkActions(a.actions, m, { table, tables })?.error
    case 'ct':
      return checkCt(m, a)
    case 'encap':
      m.value[W_PACKET_TYPE] = a.packetType
      if (a.packetType >>> 16 === 1) setEthType(m, a.packetType & 0xffff)
      if (!isIp(flowEthType(m.value))) m.value[W_NW] &= 0x00ff_ffff
      return undefined
    case 'decap':
      if (m.value[W_PACKET_TYPE] === 0) m.value[W_PACKET_TYPE] = 0x1_0000 | (m.value[W_TYPE] >>> 16)
      else {
        m.value[W_PACKET_TYPE] = PT_UNKNOWN
        setEthType(m, 0xffff)
      }
      return undefined
    case 'delete_field':
      return FIELDS[a.field].variable ? undefined : 'OFPBAC_BAD_ARGUMENT'
    case 'meter':
      return a.meter === 0 || a.meter > OFPM_MAX ? 'OFPMMFC_INVALID_METER' : undefined
    case 'goto_table':
      return (table !== 255 && a.table <= table) || (tables !== 255 && a.table >= tables)
        ? 'OFPBIC_BAD_TABLE_ID'
        : undefined
    default:
      return undefined
  }
}

/** Whether what is checked behind an action sees another flow than what is checked before. */
function changesFlow(a: OfAction): boolean {
  switch (a.type) {
    case 'set_vlan_vid':
    case 'set_vlan_pcp':
    case 'strip_vlan':
    case 'push_vlan':
    case 'push_mpls':
    case 'pop_mpls':
    case 'encap':
    case 'decap':
      return true
    case 'set_field':
      return a.field === MFF.vlan_tci
    case 'ct':
      return a.exec.some(changesFlow)
    default:
      return false
  }
}

/** `m` is changed on the way. */
function checkList(actions: readonly OfAction[], m: Match, options: CheckOptions): OfFault | undefined {
  for (const a of actions) {
    const error = check(m, a, options)
    if (error !== undefined) return fault(error)
  }
  return undefined
}

/** The fault for which a switch refuses the flow, or undefined. `match` is left as it is. */
export function checkActions(
  actions: readonly OfAction[],
  match: Match,
  options: CheckOptions = {},
): OfFault | undefined {
  return checkList(actions, actions.some(changesFlow) ? copyMatch(match) : match, options)
}
