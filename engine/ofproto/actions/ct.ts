/**
 * ct(): connection tracking and NAT, ovs-actions(7). The tracker is asked while the packet is translated, so
 * that the state is known at once: table N sees it without the packet being looked up again. What the program
 * keeps of it is one operation that shows each packet to its connection.
 */
import { W_CT_STATE, W_CT_TP } from '../../../protocols/flow-key.ts'
import type { CtAction } from '../../../protocols/openflow/action.ts'
import { OP_TRACK, OP_TRACK_ASIDE } from '../../actions/ops.ts'
import type { ActionContext } from '../action-context.ts'
import { finishPipeline, visitTable } from '../pipeline.ts'
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

function track(ctx: ActionContext, action: CtAction, op: number): void {
  const { x } = ctx
  const { tracker, frozen } = x.topology
  const zone = typeof action.zone === 'number' ? action.zone : readSubfield(x, action.zone) & 0xffff
  const invalid = ctx.ctInvalid
  ctx.ctInvalid = false
  tracker.track(x, {
    action,
    zone,
    op,
    invalid,
    resume: () => {
      const id = frozen.keep(stateAt(ctx, [{ table: ctx.table, cookie: ctx.cookie, actions: [action] }]))
      x.tag(frozen.tag(id))
      return id
    },
    exec: () => executeActions(ctx, action.exec, false),
    note: (text) => ctx.note(text),
  })
}
