/** encap, decap and the TTL of NSH. */
import { ETH_NSH, W_NSH, W_TYPE } from '../../../protocols/flow-key.ts'
import { DROP_ACTION } from '../../drops.ts'
import type { ActionContext } from '../action-context.ts'
import { sendToController } from './controller.ts'

const TTL_SHIFT = 16

/**
 * encap, decap: what they make has no Ethernet header (or had none), and no port here takes such packets; only
 * tunnels do. The packet's way ends.
 */
export function changePacketType(ctx: ActionContext): void {
  ctx.note(' >> no port takes packets of this type, dropping')
  ctx.x.drop(DROP_ACTION)
  ctx.exited = true
}

/** @returns whether the TTL ran out, and with it the actions of this table */
export function decNshTtl(ctx: ActionContext): boolean {
  const { x } = ctx
  x.look(W_TYPE, 0xffff0000)
  if (x.flow[W_TYPE] >>> 16 !== ETH_NSH) return false
  x.look(W_NSH, 0x3f << TTL_SHIFT)
  if (((x.flow[W_NSH] >>> TTL_SHIFT) & 0x3f) > 1) {
    x.flow[W_NSH] = x.flow[W_NSH] - (1 << TTL_SHIFT)
    return false
  }
  sendToController(ctx, { reason: 'invalid_ttl', maxLen: 0xffff })
  return true
}
