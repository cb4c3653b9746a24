/** fin_timeout: a TCP segment with FIN or RST shortens the life of the rule it matched. */
import { ETH_IPV4, ETH_IPV6, W_L4, W_NW, W_TYPE } from '../../../protocols/flow-key.ts'
import type { FinTimeoutAction } from '../../../protocols/openflow/action.ts'
import { nwProto, tcpFlags } from '../../flow/fields.ts'
import type { ActionContext } from '../action-context.ts'

const FIN_OR_RST = 0x05
const PROTO_TCP = 6

export function finTimeout(ctx: ActionContext, { idleTimeout, hardTimeout }: FinTimeoutAction): void {
  const { x, rule, bridge } = ctx
  const type = x.flow[W_TYPE] >>> 16
  x.look(W_TYPE, 0xffff0000)
  if (type !== ETH_IPV4 && type !== ETH_IPV6) return
  x.look(W_NW, 0xff000000)
  if (nwProto(x.flow) !== PROTO_TCP) return
  x.look(W_L4, FIN_OR_RST << 16)
  if ((tcpFlags(x.flow) & FIN_OR_RST) === 0 || !x.sideEffects || rule?.subtable === undefined) return
  const idle = shorter(rule.idleTimeout, idleTimeout)
  const hard = shorter(rule.hardTimeout, hardTimeout)
  if (idle !== rule.idleTimeout || hard !== rule.hardTimeout) bridge.tables.setTimeouts(rule, idle, hard)
}

/** Of two timeouts, 0 standing for none. */
function shorter(a: number, b: number): number {
  return a === 0 || (b !== 0 && b < a) ? b : a
}
