/**
 * Writes the difference between the headers as they should be (`x.flow`) and as the program has left them so
 * far (`x.base`) to the program.
 */

import {
  ETH_IPV4,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_L4,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
} from '../../protocols/flow-key.ts'
import {
  OP_POP_VLAN,
  OP_PUSH_VLAN,
  OP_SET_ETH,
  OP_SET_ICMP_ID,
  OP_SET_NW_DST,
  OP_SET_NW_SRC,
  OP_SET_NW_TOS,
  OP_SET_TP_DST,
  OP_SET_TP_SRC,
  OP_SET_VLAN,
} from '../actions/ops.ts'
import { dlType, icmpId, nwTos, tpDst, tpSrc } from '../flow/fields.ts'
import { innermostFirst } from './vlan-stack.ts'
import type { Xlate } from './xlate.ts'

export function commit(x: Xlate): void {
  const { flow, base } = x
  if (
    flow[W_DL_DST] !== base[W_DL_DST] ||
    flow[W_DL_MIX] !== base[W_DL_MIX] ||
    flow[W_DL_SRC] !== base[W_DL_SRC]
  ) {
    x.program.op3(OP_SET_ETH, flow[W_DL_DST], flow[W_DL_MIX], flow[W_DL_SRC])
    base[W_DL_DST] = flow[W_DL_DST]
    base[W_DL_MIX] = flow[W_DL_MIX]
    base[W_DL_SRC] = flow[W_DL_SRC]
  }
  if (dlType(flow) === ETH_IPV4) commitIpv4(x)
  commitVlan(x)
}

function commitIpv4(x: Xlate): void {
  const { flow, base } = x
  if (flow[W_NW_SRC] !== base[W_NW_SRC]) {
    x.program.op1(OP_SET_NW_SRC, flow[W_NW_SRC])
    base[W_NW_SRC] = flow[W_NW_SRC]
  }
  if (flow[W_NW_DST] !== base[W_NW_DST]) {
    x.program.op1(OP_SET_NW_DST, flow[W_NW_DST])
    base[W_NW_DST] = flow[W_NW_DST]
  }
  if (nwTos(flow) !== nwTos(base)) x.program.op1(OP_SET_NW_TOS, nwTos(flow))
  base[W_NW] = flow[W_NW]
  if (tpSrc(flow) !== tpSrc(base)) x.program.op1(OP_SET_TP_SRC, tpSrc(flow))
  if (tpDst(flow) !== tpDst(base)) x.program.op1(OP_SET_TP_DST, tpDst(flow))
  base[W_TP] = flow[W_TP]
  if (icmpId(flow) !== icmpId(base)) x.program.op1(OP_SET_ICMP_ID, icmpId(flow))
  base[W_L4] = flow[W_L4]
}

/**
 * Turns the tags the packet has into those it should have. Both stacks stand on the same payload, so tags that
 * agree from the innermost out stay where they are.
 */
function commitVlan(x: Xlate): void {
  if (x.vlans === x.baseVlans) return
  const have = innermostFirst(x.baseVlans)
  const want = innermostFirst(x.vlans)
  let same = 0
  while (
    same < have.length &&
    same < want.length &&
    have[same].tpid === want[same].tpid &&
    have[same].tci === want[same].tci
  ) {
    same++
  }
  let kept = have.length
  const rewritten = same < have.length && same < want.length && have[same].tpid === want[same].tpid
  for (; kept > same + (rewritten ? 1 : 0); kept--) x.program.op(OP_POP_VLAN)
  if (rewritten) x.program.op1(OP_SET_VLAN, want[same].tci)
  for (const tag of want.slice(kept)) x.program.op2(OP_PUSH_VLAN, tag.tpid, tag.tci)
  x.baseVlans = x.vlans
}
