/**
 * The action set (OpenFlow 1.5.1 §5.10): what write_actions collects and what is carried out, in the order of
 * the specification, when no table follows. Buckets of groups are action sets too.
 */
import { W_ACTSET_OUTPUT } from '../../protocols/flow-key.ts'
import type { OfAction } from '../../protocols/openflow/action.ts'
import { OFPP_UNSET } from '../../protocols/openflow/port.ts'
import type { ActionContext } from './action-context.ts'
import { executeActions } from './actions/execute-actions.ts'

/** Those of which a set has one each, in order: strip a tag, a label … before pushing, TTLs between. */
const ONCE: readonly OfAction['type'][] = [
  'strip_vlan',
  'decap',
  'pop_mpls',
  'push_mpls',
  'encap',
  'push_vlan',
  'dec_ttl',
  'dec_mpls_ttl',
  'dec_nsh_ttl',
]

/** Those of which every one counts, in order of arrival, between TTLs and queue. */
const SETTERS: ReadonlySet<OfAction['type']> = new Set([
  'move',
  'set_field',
  'set_eth_src',
  'set_eth_dst',
  'set_ipv4_src',
  'set_ipv4_dst',
  'set_ip_dscp',
  'set_ip_ecn',
  'set_ip_ttl',
  'set_l4_src_port',
  'set_l4_dst_port',
  'set_mpls_label',
  'set_mpls_tc',
  'set_mpls_ttl',
  'set_tunnel',
  'set_vlan_vid',
  'set_vlan_pcp',
])

/** What a set does with a packet at its end: only the first of these that it has. */
const FINAL: readonly (readonly OfAction['type'][])[] = [
  ['group'],
  ['output', 'output_trunc'],
  ['resubmit'],
  ['ct'],
]

/** The actions of a set in the order in which they are carried out; of each kind the last that was written. */
export function orderActionSet(set: readonly OfAction[]): OfAction[] {
  const last = (types: readonly OfAction['type'][]): OfAction | undefined =>
    set.filter((a) => types.includes(a.type)).at(-1)
  const ordered: OfAction[] = []
  for (const type of ONCE) {
    const action = last([type])
    if (action !== undefined) ordered.push(action)
  }
  for (const action of set) if (SETTERS.has(action.type)) ordered.push(action)
  const queue = last(['set_queue'])
  if (queue !== undefined) ordered.push(queue)
  for (const types of FINAL) {
    const action = last(types)
    if (action === undefined) continue
    ordered.push(action)
    return ordered
  }
  // Without an end it does nothing (OpenFlow 1.5.1 §5.10).
  return []
}

/** write_actions: also tells actset_output what the set is going to do. */
export function writeActions(ctx: ActionContext, actions: readonly OfAction[]): void {
  ctx.actionSet.push(...actions)
  const { flow } = ctx.x
  for (const action of actions) {
    if (action.type === 'output') flow[W_ACTSET_OUTPUT] = action.port
    else if (action.type === 'group') flow[W_ACTSET_OUTPUT] = OFPP_UNSET
  }
  if (ctx.actionSet.some((a) => a.type === 'group')) flow[W_ACTSET_OUTPUT] = OFPP_UNSET
}

export function clearActions(ctx: ActionContext): void {
  ctx.actionSet = []
  ctx.x.flow[W_ACTSET_OUTPUT] = OFPP_UNSET
}

/** Carries the set out at the end of the pipeline. */
export function executeActionSet(ctx: ActionContext): void {
  // Nearly every packet's; what is asked of an empty set costs as much as of a full one.
  if (ctx.actionSet.length === 0) return
  const actions = orderActionSet(ctx.actionSet)
  ctx.actionSet = []
  if (actions.length === 0) return
  const { x } = ctx
  x.level++
  x.trace?.heading(x.level, '--. Executing action set:')
  ctx.inActionSet = true
  executeActions(ctx, actions, true)
  ctx.inActionSet = false
  x.level--
}
