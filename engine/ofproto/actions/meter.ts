/** meter: packets above a rate go no further. */
import { OP_METER } from '../../actions/ops.ts'
import type { ActionContext } from '../action-context.ts'

export function meter(ctx: ActionContext, id: number): void {
  const { x, bridge } = ctx
  x.tag(bridge.meters.tag(id))
  const slot = bridge.meters.slot(id)
  if (slot < 0) return
  x.program.op1(OP_METER, slot)
  x.irreversible++
}
