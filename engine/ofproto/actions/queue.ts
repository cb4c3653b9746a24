/** set_queue, pop_queue, enqueue: which queue of the way out a packet joins. */
import { W_SKB_PRIORITY } from '../../../protocols/flow-key.ts'
import type { EnqueueAction } from '../../../protocols/openflow/action.ts'
import { OFPP_IN_PORT } from '../../../protocols/openflow/port.ts'
import type { ActionContext } from '../action-context.ts'
import { outputAction } from './output.ts'

export function setQueue(ctx: ActionContext, queue: number): void {
  ctx.x.flow[W_SKB_PRIORITY] = queue
}

export function popQueue(ctx: ActionContext): void {
  ctx.x.flow[W_SKB_PRIORITY] = 0
}

export function enqueue(ctx: ActionContext, { port, queue }: EnqueueAction, last: boolean): void {
  const { flow } = ctx.x
  const before = flow[W_SKB_PRIORITY]
  flow[W_SKB_PRIORITY] = queue
  outputAction(ctx, port, 0, last && port !== OFPP_IN_PORT)
  flow[W_SKB_PRIORITY] = before
}
