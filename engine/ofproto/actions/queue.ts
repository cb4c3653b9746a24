/** set_queue, pop_queue, enqueue: which queue of the way out a packet joins. */
import { W_SKB_PRIORITY } from '../../../protocols/flow-key.ts'
import type { EnqueueAction } from '../../../protocols/openflow/action.ts'
import { OFPP_IN_PORT } from '../../../protocols/openflow/port.ts'
import type { ActionContext } from '../action-context.ts'
import { outputAction } from './output.ts'

export function setQueue(ctx: ActionContext, queue: number): void {
  choose(ctx, queue)
}

export function popQueue(ctx: ActionContext): void {
  choose(ctx, 0)
  ctx.note(' -> queue = 0')
}

export function enqueue(ctx: ActionContext, { port, queue }: EnqueueAction, last: boolean): void {
  const before = ctx.x.flow[W_SKB_PRIORITY]
  choose(ctx, queue)
  outputAction(ctx, port, 0, last && port !== OFPP_IN_PORT)
  ctx.x.flow[W_SKB_PRIORITY] = before
}

function choose({ x }: ActionContext, queue: number): void {
  // Packets come with no queue; a trace says that it was looked at.
  x.look(W_SKB_PRIORITY, 0xffff_ffff)
  x.flow[W_SKB_PRIORITY] = queue
}
