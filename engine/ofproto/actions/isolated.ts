/**
 * Actions whose changes to the packet concern nobody after them: clone, buckets of groups, branches of
 * check_pkt_larger.
 */
import type { ActionContext } from '../action-context.ts'
import { onCopy } from '../output.ts'
import { freeze } from './recirculate.ts'

/**
 * Runs `body`, then puts the packet's description, the stack and the action set back.
 * @param last nobody wants the packet afterwards, so it need not be copied
 */
export function isolated(ctx: ActionContext, last: boolean, body: () => void): void {
  const { stack, actionSet } = ctx
  ctx.stack = [...stack]
  ctx.actionSet = []
  onPacketCopy(ctx, last, body)
  ctx.stack = stack
  ctx.actionSet = actionSet
}

/** The same, but what `body` does to the stack and the action set stays. */
export function onPacketCopy(ctx: ActionContext, last: boolean, body: () => void): void {
  const { x, exited, mplsPopped } = ctx
  const flow = x.flow.slice()
  const { vlans } = x
  const all = (): void => {
    body()
    const { actionSet } = ctx
    if (ctx.frozen !== undefined && !x.failed) freeze(ctx)
    ctx.actionSet = actionSet
  }
  if (last) {
    all()
    x.pending = undefined
  } else onCopy(x, all)
  x.flow.set(flow)
  x.vlans = vlans
  ctx.exited = exited
  ctx.mplsPopped = mplsPopped
  ctx.frozen = undefined
}
