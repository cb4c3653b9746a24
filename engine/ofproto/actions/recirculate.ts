/**
 * Reading headers anew. Behind the last label of an MPLS stack, or a header that was taken off, stand headers
 * nobody has read. The next action that needs them freezes the translation: what remains to be done is kept
 * under a number, the program ends by handing the packet back under that number, its key is read again and
 * the translation goes on from there.
 */
import { FLOW_WORDS, KEY_WORDS, W_IN_PORT, W_PACKET_TYPE } from '../../../protocols/flow-key.ts'
import { FIELDS } from '../../../protocols/meta-flow.ts'
import type { OfAction } from '../../../protocols/openflow/action.ts'
import { OFPP_NORMAL, OFPP_TABLE } from '../../../protocols/openflow/port.ts'
import { OP_COLLECT, OP_RECIRC } from '../../actions/ops.ts'
import type { ActionContext, Remainder } from '../action-context.ts'
import type { FrozenState } from '../frozen-state.ts'
import { sendPaused } from './controller.ts'

/** Whether an action looks at headers behind Ethernet and its tags. */
export function needsHeaders(action: OfAction): boolean {
  switch (action.type) {
    case 'output':
      return action.port === OFPP_TABLE || action.port === OFPP_NORMAL
    case 'set_field':
      return isBehindEthernet(action.field)
    case 'move':
      return isBehindEthernet(action.src.field) || isBehindEthernet(action.dst.field)
    case 'push':
    case 'pop':
      return isBehindEthernet(action.subfield.field)
    case 'resubmit':
    case 'goto_table':
    case 'group':
    case 'learn':
    case 'ct':
    case 'multipath':
    case 'bundle':
    case 'fin_timeout':
    case 'dec_ttl':
    case 'set_ip_dscp':
    case 'set_ip_ecn':
    case 'set_ip_ttl':
    case 'set_ipv4_src':
    case 'set_ipv4_dst':
    case 'set_l4_src_port':
    case 'set_l4_dst_port':
    case 'push_mpls':
    case 'pop_mpls':
    case 'set_mpls_label':
    case 'set_mpls_tc':
    case 'set_mpls_ttl':
    case 'dec_mpls_ttl':
    case 'encap':
    case 'decap':
    case 'clone':
    case 'check_pkt_larger':
      return true
    default:
      return false
  }
}

function isBehindEthernet(id: number): boolean {
  const { prerequisite } = FIELDS[id]
  return prerequisite !== 'none' && prerequisite !== 'ethernet' && prerequisite !== 'vlan'
}

/** All that a translation must know to go on from here. */
export function stateAt({ x, bridge, ...ctx }: ActionContext, remainders: readonly Remainder[]): FrozenState {
  return {
    bridge: bridge.index,
    inPort: x.flow[W_IN_PORT],
    metadata: x.flow.slice(KEY_WORDS, FLOW_WORDS),
    stack: [...ctx.stack],
    actionSet: [...ctx.actionSet],
    remainders,
    inPacketOut: ctx.inPacketOut,
  }
}

/** Ends the program here, with what is frozen in the context still to be done. */
export function freeze(ctx: ActionContext): void {
  if (ctx.pause === undefined) recirculate(ctx)
  else sendPaused(ctx, ctx.pause, ctx.frozen ?? [])
  ctx.frozen = undefined
  ctx.pause = undefined
  ctx.actionSet = []
}

/** What is frozen in the context will be done to the packet when its headers have been read. */
function recirculate(ctx: ActionContext): void {
  const { x } = ctx
  const state = stateAt(ctx, ctx.frozen ?? [])
  const { frozen } = x.topology
  const id = frozen.keep(state)
  x.tag(frozen.tag(id))
  x.commit()
  if (ctx.collectIn === undefined) x.program.op2(OP_RECIRC, id, x.flow[W_PACKET_TYPE])
  else x.program.op2(OP_COLLECT, ctx.collectIn, id)
  ctx.collectIn = undefined
  x.irreversible++
  x.outputs++
}
