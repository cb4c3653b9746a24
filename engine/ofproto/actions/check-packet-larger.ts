/**
 * check_pkt_larger: a bit of a field tells whether the packet is longer than so many bytes. That is another
 * question for each packet of a flow, so the rest of the actions is translated twice, and the program asks.
 */
import type { CheckPktLargerAction, OfAction } from '../../../protocols/openflow/action.ts'
import { OP_CHECK_LEN } from '../../actions/ops.ts'
import type { ActionContext } from '../action-context.ts'
import { executeActions } from './execute-actions.ts'
import { writeSubfield } from './fields.ts'
import { isolated } from './isolated.ts'

/** @param rest the actions that come after */
export function checkPacketLarger(
  ctx: ActionContext,
  { length, dst }: CheckPktLargerAction,
  rest: readonly OfAction[],
): void {
  const { x } = ctx
  // Both branches begin with the packet as it is now.
  x.commit()
  const { program } = x
  const { baseVlans } = x
  const base = x.base.slice()
  const mark = program.beginBranches(OP_CHECK_LEN, length)
  for (const larger of [1, 0]) {
    isolated(ctx, true, () => {
      writeSubfield(x, dst, larger)
      executeActions(ctx, rest, true)
    })
    program.endBranch(mark, larger === 1)
    x.base.set(base)
    x.baseVlans = baseVlans
  }
}
