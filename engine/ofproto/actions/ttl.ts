/** dec_ttl: IP's time to live, which sends what runs out of it to controllers. */
import { ETH_IPV4, W_NW, W_TYPE } from '../../../protocols/flow-key.ts'
import { flowEthType, isIp } from '../../../protocols/openflow/prerequisites.ts'
import { nwTtl } from '../../flow/fields.ts'
import type { ActionContext } from '../action-context.ts'
import { sendToController } from './controller.ts'

/** @returns whether the TTL ran out, and with it the actions of this table */
export function decTtl(ctx: ActionContext, controllerIds: readonly number[]): boolean {
  const { x } = ctx
  x.look(W_TYPE, 0xffff0000)
  if (!isIp(flowEthType(x.flow))) return false
  x.look(W_NW, 0x0000ff00)
  if (nwTtl(x.flow) > 1) {
    x.flow[W_NW] = x.flow[W_NW] - 0x0100
    return false
  }
  ctx.note(` >> IPv${flowEthType(x.flow) === ETH_IPV4 ? 4 : 6} decrement TTL exception`)
  for (const controllerId of controllerIds) {
    sendToController(ctx, { reason: 'invalid_ttl', maxLen: 0xffff, controllerId })
  }
  return true
}
