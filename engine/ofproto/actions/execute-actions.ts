/**
 * Carries out a list of actions, one after the other, on the packet as the translation describes it.
 */
import { FLAG_BAD_L3, FLAG_FRAG, W_TYPE } from '../../../protocols/flow-key.ts'
import type { OfAction } from '../../../protocols/openflow/action.ts'
import { TABLE_CURRENT } from '../../../protocols/openflow/action.ts'
import { OFPP_IN_PORT } from '../../../protocols/openflow/port.ts'
import type { ActionContext } from '../action-context.ts'
import { clearActions, writeActions } from '../action-set.ts'
import { CT_FINE } from '../connection-tracker.ts'
import { visitTable } from '../pipeline.ts'
import { checkPacketLarger } from './check-packet-larger.ts'
import { clone } from './clone.ts'
import { pause, sendToController } from './controller.ts'
import { ct, ctClear, zoneOf } from './ct.ts'
import { decap, decNshTtl, encap } from './encap.ts'
import { deleteField, move, setField, writeMetadata } from './fields.ts'
import { finTimeout } from './fin-timeout.ts'
import { group } from './group.ts'
import { learn } from './learn.ts'
import { meter } from './meter.ts'
import { decMplsTtl, popMpls, pushMpls, setMplsBits } from './mpls.ts'
import { bundle, multipath } from './multipath.ts'
import { outputAction, outputRegister, outputTruncated } from './output.ts'
import { enqueue, popQueue, setQueue } from './queue.ts'
import { needsHeaders } from './recirculate.ts'
import { resubmit } from './resubmit.ts'
import { sample } from './sample.ts'
import { setEth, setIpv4, setL4Port, setNwByte, setTunnel } from './set-header.ts'
import { popStack, pushStack } from './stack.ts'
import { decTtl } from './ttl.ts'
import { popVlan, pushVlan, setVlanPcp, setVlanVid } from './vlan.ts'

/** @param isLast nobody wants the packet afterwards */
export function executeActions(ctx: ActionContext, actions: readonly OfAction[], isLast: boolean): void {
  const { x } = ctx
  for (let i = 0; i < actions.length; i++) {
    const action = actions[i]
    if (x.failed || ctx.exited) return
    if (ctx.frozen === undefined && ctx.mplsPopped && needsHeaders(action)) ctx.frozen = []
    if (ctx.frozen === undefined && action.type === 'ct' && mustWait(ctx)) {
      ctx.frozen = []
      ctx.collectIn = zoneOf(ctx, action)
    }
    if (ctx.frozen !== undefined) {
      ctx.frozen.push({ table: ctx.table, cookie: ctx.cookie, actions: actions.slice(i) })
      return
    }
    const last = isLast && i === actions.length - 1 && ctx.actionSet.length === 0
    x.trace?.action(x.level, action)
    if (action.type === 'check_pkt_larger') {
      checkPacketLarger(ctx, action, actions.slice(i + 1))
      return
    }
    if (execute(ctx, action, last) === STOP) return
  }
}

/** Only a whole datagram shows what connection it is of. */
function mustWait({ x, ctWhole, ctInvalid }: ActionContext): boolean {
  if (ctWhole !== undefined || ctInvalid !== CT_FINE) return false
  x.look(W_TYPE, FLAG_FRAG | FLAG_BAD_L3)
  return (x.flow[W_TYPE] & (FLAG_FRAG | FLAG_BAD_L3)) === FLAG_FRAG
}

/** The rest of the list is not carried out: a TTL ran out, a group is missing. */
const STOP = true
const CONTINUE = false

function execute(ctx: ActionContext, action: OfAction, last: boolean): boolean {
  switch (action.type) {
    case 'output':
      outputAction(ctx, action.port, action.maxLen, last)
      return CONTINUE
    case 'output_reg':
      outputRegister(ctx, action, last)
      return CONTINUE
    case 'output_trunc':
      outputTruncated(ctx, action)
      return CONTINUE
    case 'controller':
      if (action.pause) pause(ctx, action)
      else sendToController(ctx, action)
      return CONTINUE
    case 'enqueue':
      enqueue(ctx, action, last)
      return CONTINUE
    case 'set_queue':
      setQueue(ctx, action.queue)
      return CONTINUE
    case 'pop_queue':
      popQueue(ctx)
      return CONTINUE
    case 'group':
      return group(ctx, action.group, last)
    case 'goto_table':
      visitTable(ctx, action.table, true, last)
      return CONTINUE
    case 'resubmit':
      resubmit(
        ctx,
        action.inPort === OFPP_IN_PORT ? undefined : action.inPort,
        action.table === TABLE_CURRENT ? ctx.table : action.table,
        action.withCt,
        last,
      )
      return CONTINUE
    case 'clone':
      clone(ctx, action.actions, last)
      return CONTINUE
    case 'write_actions':
      writeActions(ctx, action.actions)
      ctx.x.trace?.actionSet(ctx.x.level, 'is', ctx.actionSet)
      return CONTINUE
    case 'clear_actions':
      ctx.x.trace?.actionSet(ctx.x.level, 'was', ctx.actionSet)
      clearActions(ctx)
      return CONTINUE
    case 'exit':
      ctx.exited = true
      return CONTINUE
    case 'meter':
      meter(ctx, action.meter)
      return CONTINUE
    case 'learn':
      learn(ctx, action)
      return CONTINUE
    case 'ct':
      ct(ctx, action, last)
      return CONTINUE
    case 'ct_clear':
      ctClear(ctx)
      return CONTINUE
    case 'fin_timeout':
      finTimeout(ctx, action)
      return CONTINUE
    case 'multipath':
      multipath(ctx, action)
      return CONTINUE
    case 'bundle':
      bundle(ctx, action, last)
      return CONTINUE
    case 'sample':
      sample(ctx, action)
      return CONTINUE
    // What conjunction() is about happens in the lookup; a note is for people.
    case 'conjunction':
    case 'note':
    case 'check_pkt_larger':
      return CONTINUE
    default:
      return rewrite(ctx, action)
  }
}

/** Those that change the packet or what travels with it. */
function rewrite(ctx: ActionContext, action: OfAction): boolean {
  const { x } = ctx
  switch (action.type) {
    case 'set_field':
      setField(ctx, action)
      break
    case 'move':
      move(ctx, action)
      break
    case 'push':
      pushStack(ctx, action.subfield)
      break
    case 'pop':
      popStack(ctx, action.subfield)
      break
    case 'write_metadata':
      writeMetadata(x, action.metadata, action.mask)
      break
    case 'delete_field':
      deleteField(ctx, action.field)
      break
    case 'set_vlan_vid':
      setVlanVid(x, action.vid, action.pushIfNeeded)
      break
    case 'set_vlan_pcp':
      setVlanPcp(x, action.pcp, action.pushIfNeeded)
      break
    case 'strip_vlan':
      popVlan(x)
      break
    case 'push_vlan':
      pushVlan(x, action.ethertype)
      break
    case 'push_mpls':
      pushMpls(ctx, action.ethertype)
      break
    case 'pop_mpls':
      popMpls(ctx, action.ethertype)
      break
    case 'set_mpls_label':
      setMplsBits(x, action.label, 12, 20)
      break
    case 'set_mpls_tc':
      setMplsBits(x, action.tc, 9, 3)
      break
    case 'set_mpls_ttl':
      setMplsBits(x, action.ttl, 0, 8)
      break
    case 'dec_mpls_ttl':
      return decMplsTtl(ctx)
    case 'dec_ttl':
      return decTtl(ctx, action.controllerIds)
    case 'dec_nsh_ttl':
      return decNshTtl(ctx)
    case 'set_eth_src':
    case 'set_eth_dst':
      setEth(x, action.type === 'set_eth_dst', action.mac)
      break
    case 'set_ipv4_src':
    case 'set_ipv4_dst':
      setIpv4(x, action.type === 'set_ipv4_dst', action.address)
      break
    case 'set_ip_dscp':
      setNwByte(x, 16, 0xfc, action.value)
      break
    case 'set_ip_ecn':
      setNwByte(x, 16, 0x03, action.value)
      break
    case 'set_ip_ttl':
      setNwByte(x, 8, 0xff, action.value)
      break
    case 'set_l4_src_port':
    case 'set_l4_dst_port':
      setL4Port(x, action.type === 'set_l4_dst_port', action.value)
      break
    case 'set_tunnel':
      setTunnel(x, action.id)
      break
    case 'encap':
      encap(ctx, action)
      break
    case 'decap':
      decap(ctx, action.packetType)
      break
  }
  return CONTINUE
}
