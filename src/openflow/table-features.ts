/** What a flow table can: all of them the same, all that there is. */
import type { FlowTableStats } from '../../engine/dpif-openflow.ts'
import { FIELDS } from '../../protocols/meta-flow.ts'
import type { OfActionType } from '../../protocols/openflow/action.ts'
import type {
  Instruction,
  TableActionFeatures,
  TableFeatures,
  TableInstructionFeatures,
} from '../../protocols/openflow/table-features.ts'

/** Tables 0 to 253. */
export const TABLES = 254
/** Rules of a table whose number nobody has limited, as Open vSwitch says it. */
const MANY = 1_000_000
const ALL_ONES = 0xffff_ffff_ffff_ffffn

const INSTRUCTIONS: readonly Instruction[] = [
  'goto_table',
  'write_metadata',
  'write_actions',
  'apply_actions',
  'clear_actions',
  'meter',
]

/** Actions that the specification gives numbers. */
export const ACTIONS: readonly OfActionType[] = [
  'output',
  'set_vlan_vid',
  'set_vlan_pcp',
  'strip_vlan',
  'set_eth_src',
  'set_eth_dst',
  'set_ipv4_src',
  'set_ipv4_dst',
  'set_ip_dscp',
  'set_ip_ecn',
  'set_ip_ttl',
  'set_l4_src_port',
  'set_l4_dst_port',
  'enqueue',
  'push_vlan',
  'set_mpls_label',
  'set_mpls_tc',
  'set_mpls_ttl',
  'dec_mpls_ttl',
  'push_mpls',
  'pop_mpls',
  'set_queue',
  'group',
  'dec_ttl',
  'set_field',
]

const MATCHED = FIELDS.filter((f) => f.oxm.length > 0).map((f) => f.id)
const MASKED = FIELDS.filter((f) => f.oxm.length > 0 && f.maskable).map((f) => f.id)
const WRITTEN = FIELDS.filter((f) => f.oxm.length > 0 && f.writable).map((f) => f.id)

const ACTION_FEATURES: TableActionFeatures = { actions: ACTIONS, setFields: WRITTEN }

function instructionFeatures(table: number): TableInstructionFeatures {
  return {
    next: Array.from({ length: TABLES - 1 - table }, (_, i) => table + 1 + i),
    instructions: table === TABLES - 1 ? INSTRUCTIONS.slice(1) : INSTRUCTIONS,
    write: ACTION_FEATURES,
    apply: ACTION_FEATURES,
  }
}

export function tableFeatures(
  table: number,
  { name, maxFlows, miss }: Pick<FlowTableStats, 'name' | 'maxFlows' | 'miss'>,
): TableFeatures {
  const rule = instructionFeatures(table)
  return {
    table,
    command: 'replace',
    name,
    metadataMatch: ALL_ONES,
    metadataWrite: ALL_ONES,
    miss,
    supportsEviction: true,
    supportsVacancyEvents: true,
    maxEntries: maxFlows ?? MANY,
    hasProperties: true,
    nonmiss: rule,
    missRule: rule,
    match: MATCHED,
    mask: MASKED,
    wildcard: MATCHED,
  }
}
