/**
 * resubmit: another table's rule, looked up as though the packet had come by another port. To the rule's actions
 * it came by its own: IN_PORT, NORMAL and further tables go by that.
 */
import {
  W_CT_IPV6_DST,
  W_CT_IPV6_SRC,
  W_CT_NW_DST,
  W_CT_NW_PROTO,
  W_CT_NW_SRC,
  W_CT_STATE,
  W_CT_TP,
  W_IN_PORT,
  W_IPV6_DST,
  W_IPV6_SRC,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
} from '../../../protocols/flow-key.ts'
import { ctIsValid } from '../../../protocols/openflow/prerequisites.ts'
import type { ActionContext } from '../action-context.ts'
import { visitTable } from '../pipeline.ts'

/**
 * @param port undefined: that by which the packet came
 * @param withCt the table sees the addresses of the connection's first packet in place of the packet's own
 */
export function resubmit(
  ctx: ActionContext,
  port: number | undefined,
  table: number,
  withCt: boolean,
  last: boolean,
): void {
  const { flow } = ctx.x
  if (withCt && !ctIsValid(flow)) {
    ctx.note(' >> resubmit(ct) with invalid or untracked packet, ignored')
    return
  }
  const cameBy = flow[W_IN_PORT]
  if (port !== undefined) flow[W_IN_PORT] = port
  if (withCt) swapTuple(flow)
  visitTable(ctx, table, false, last, () => {
    if (withCt) swapTuple(flow)
    flow[W_IN_PORT] = cameBy
  })
}

/** Exchanges the packet's five-tuple and that of its connection. */
function swapTuple(flow: Uint32Array): void {
  if (flow[W_CT_STATE] === 0) return
  swap(flow, W_NW_SRC, W_CT_NW_SRC)
  swap(flow, W_NW_DST, W_CT_NW_DST)
  swap(flow, W_TP, W_CT_TP)
  for (let i = 0; i < 4; i++) {
    swap(flow, W_IPV6_SRC + i, W_CT_IPV6_SRC + i)
    swap(flow, W_IPV6_DST + i, W_CT_IPV6_DST + i)
  }
  const proto = flow[W_NW] >>> 24
  flow[W_NW] = ((flow[W_NW] & 0x00ff_ffff) | (flow[W_CT_NW_PROTO] << 24)) >>> 0
  flow[W_CT_NW_PROTO] = proto
}

function swap(flow: Uint32Array, a: number, b: number): void {
  const kept = flow[a]
  flow[a] = flow[b]
  flow[b] = kept
}
