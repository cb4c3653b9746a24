/** clone: actions on a copy of the packet. */
import type { OfAction } from '../../../protocols/openflow/action.ts'
import type { ActionContext } from '../action-context.ts'
import { executeActionSet } from '../action-set.ts'
import { executeActions } from './execute-actions.ts'
import { isolated } from './isolated.ts'

/**
 * As in Open vSwitch the copy has the action set too, and carries it out when its own actions are done; and an
 * exit or a pause in here ends everything, unlike one in a group's bucket.
 */
export function clone(ctx: ActionContext, actions: readonly OfAction[], last: boolean): void {
  const { actionSet } = ctx
  let exited = false
  isolated(ctx, last, () => {
    ctx.actionSet = [...actionSet]
    executeActions(ctx, actions, true)
    if (ctx.frozen === undefined && !ctx.x.failed) executeActionSet(ctx)
    exited = ctx.exited || ctx.pause !== undefined
  })
  if (exited) ctx.exited = true
}
