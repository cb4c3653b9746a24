/**
 * Writes the difference between the headers as they should be (`x.flow`) and as the program has left them so
 * far (`x.base`) to the program.
 */
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
import {
  ETH_IPV4,
  FLAG_INNER_AD,
  FLAG_OUTER_AD,
  VLAN_PRESENT,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_L4,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
  W_VLAN,
} from '../flow/flow-key.ts'
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

/** A tag as one number, its TPID in bit 16; 0 for no tag. */
function outerTag(k: Uint32Array): number {
  return (k[W_VLAN] >>> 16) | ((k[W_TYPE] & FLAG_OUTER_AD) !== 0 ? 0x10000 : 0)
}

function innerTag(k: Uint32Array): number {
  return (k[W_VLAN] & 0xffff) | ((k[W_TYPE] & FLAG_INNER_AD) !== 0 ? 0x10000 : 0)
}

function tpidOf(tag: number): number {
  return tag > 0xffff ? 0x88a8 : 0x8100
}

function push(x: Xlate, tag: number): void {
  x.program.op2(OP_PUSH_VLAN, tpidOf(tag), tag & 0xffff & ~VLAN_PRESENT)
}

/**
 * Turns the tags the packet has into those it should have. Only the two outer tags are known; a stack that is
 * the old one pushed or popped once is reached by just that, so that a third tag survives.
 */
function commitVlan(x: Xlate): void {
  const { flow, base } = x
  const outer = outerTag(flow)
  const inner = innerTag(flow)
  const baseOuter = outerTag(base)
  const baseInner = innerTag(base)
  if (outer === baseOuter && inner === baseInner) return
  if (outer !== 0 && inner === baseOuter) push(x, outer)
  else if (outer === baseInner && baseOuter !== 0) x.program.op(OP_POP_VLAN)
  else if (inner === baseInner && outer !== 0 && baseOuter !== 0 && tpidOf(outer) === tpidOf(baseOuter)) {
    x.program.op1(OP_SET_VLAN, outer & 0xffff & ~VLAN_PRESENT)
  } else {
    if (baseOuter !== 0) x.program.op(OP_POP_VLAN)
    if (inner !== baseInner) {
      if (baseInner !== 0) x.program.op(OP_POP_VLAN)
      if (inner !== 0) push(x, inner)
    }
    if (outer !== 0) push(x, outer)
  }
  base[W_VLAN] = flow[W_VLAN]
  base[W_TYPE] = flow[W_TYPE]
}
