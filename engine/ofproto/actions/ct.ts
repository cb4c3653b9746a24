/**
 * ct(): connection tracking and NAT, ovs-actions(7). The tracker is asked while the packet is translated, so
 * that the state is known at once: table N sees it without the packet being looked up again. What the program
 * keeps of it is one operation that shows each packet to its connection.
 */
import {
  ETH_IPV6,
  FLAG_LATER,
  W_CT_STATE,
  W_CT_TP,
  W_CT_ZONE,
  W_IPV6_SRC,
  W_NW_SRC,
  W_TP,
  W_TYPE,
} from '../../../protocols/flow-key.ts'
import type { CtAction } from '../../../protocols/openflow/action.ts'
import { OP_TRACK, OP_TRACK_ASIDE } from '../../actions/ops.ts'
import { icmpId, setIcmpId } from '../../flow/fields.ts'
import type { ActionContext } from '../action-context.ts'
import { CT_FINE } from '../connection-tracker.ts'
import { finishPipeline, visitTable } from '../pipeline.ts'
import type { Xlate } from '../xlate.ts'
import { executeActions } from './execute-actions.ts'
import { readSubfield } from './fields.ts'
import { isolated } from './isolated.ts'
import { stateAt } from './recirculate.ts'

/** Words from ct_state to ct_tp, which ct_clear forgets. */
const CT_WORDS = W_CT_TP + 1 - W_CT_STATE

export function ct(ctx: ActionContext, action: CtAction, last: boolean): void {
  const { x } = ctx
  const { table } = action
  if (table === undefined) {
    const kept = x.flow.slice(W_CT_STATE, W_CT_STATE + CT_WORDS)
    track(ctx, action, OP_TRACK_ASIDE)
    x.flow.set(kept, W_CT_STATE)
    return
  }
  const { actionSet } = ctx
  isolated(ctx, last, () => {
    ctx.actionSet = [...actionSet]
    track(ctx, action, OP_TRACK)
    visitTable(ctx, table, true, true)
    finishPipeline(ctx)
  })
}

export function ctClear(ctx: ActionContext): void {
  ctx.x.flow.fill(0, W_CT_STATE, W_CT_STATE + CT_WORDS)
}

/** The zone that an action names. */
export function zoneOf({ x }: ActionContext, action: CtAction): number {
  return typeof action.zone === 'number' ? action.zone : readSubfield(x, action.zone) & 0xffff
}

/** What becomes of the fragments of a datagram: what ct() has made of the whole. */
export function trackWhole(ctx: ActionContext, action: CtAction): Uint32Array {
  track(ctx, action, OP_TRACK_ASIDE, true)
  return ctx.x.flow.slice()
}

function track(ctx: ActionContext, action: CtAction, op: number, whole = false): void {
  const { x } = ctx
  const { tracker, frozen } = x.topology
  if (ctx.ctWhole !== undefined) {
    takeWhole(x, ctx.ctWhole)
    ctx.ctWhole = undefined
    return
  }
  const zone = zoneOf(ctx, action)
  const invalid = ctx.ctInvalid
  ctx.ctInvalid = CT_FINE
  const told = op === OP_TRACK ? x.trace?.connectionState() : undefined
  if (told !== undefined) {
    ctClear(ctx)
    x.flow[W_CT_ZONE] = zone
    x.flow[W_CT_STATE] = told
    return
  }
  tracker.track(x, {
    action,
    zone,
    op,
    invalid,
    whole,
    resume: () => {
      const id = frozen.keep(stateAt(ctx, [{ table: ctx.table, cookie: ctx.cookie, actions: [action] }]))
      x.tag(frozen.tag(id))
      return id
    },
    exec: () => executeActions(ctx, action.exec, false),
    note: (text) => ctx.note(text),
  })
}

/** A fragment becomes what ct() has made of its whole datagram; ports are the first one's. */
function takeWhole({ flow }: Xlate, whole: Uint32Array): void {
  const copy = (from: number, words: number): void => flow.set(whole.subarray(from, from + words), from)
  copy(W_CT_STATE, CT_WORDS)
  if (flow[W_TYPE] >>> 16 === ETH_IPV6) copy(W_IPV6_SRC, 8)
  else copy(W_NW_SRC, 2)
  if ((flow[W_TYPE] & FLAG_LATER) === 0) {
    copy(W_TP, 1)
    setIcmpId(flow, icmpId(whole))
  }
}
