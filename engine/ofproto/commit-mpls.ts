/** Turns the label stack a packet has into the one it should have. */
import { KEY_WORDS, W_MPLS, W_TYPE } from '../../protocols/flow-key.ts'
import { OP_POP_MPLS, OP_PUSH_MPLS, OP_SET_MPLS } from '../actions/ops.ts'
import { labelCount } from './actions/mpls.ts'
import { differs, lookAll } from './commit.ts'
import type { Xlate } from './xlate.ts'

/** Labels that agree from the bottom up stay; what is behind the last one is known to `flow` only as unknown. */
export function commitMpls(x: Xlate): void {
  const { flow, base, program } = x
  if (differs(flow, base, W_TYPE, 1) || differs(flow, base, W_MPLS, 3)) lookAll(x, W_MPLS, 3)
  const have = labelCount(base)
  const want = labelCount(flow)
  let same = 0
  while (same < have && same < want && flow[W_MPLS + want - 1 - same] === base[W_MPLS + have - 1 - same])
    same++
  const type = flow[W_TYPE] >>> 16
  let kept = have
  const rewritten = same < have && same < want
  // Behind each popped label is another one, until the last.
  for (; kept > same + (rewritten ? 1 : 0); kept--) {
    program.op1(OP_POP_MPLS, kept === 1 ? type : base[W_TYPE] >>> 16)
  }
  if (rewritten || kept < want) for (let i = 0; i < want; i++) x.look(W_MPLS + i, 0xffffffff)
  if (rewritten) program.op1(OP_SET_MPLS, flow[W_MPLS + want - 1 - same])
  for (; kept < want; kept++) program.op2(OP_PUSH_MPLS, type, flow[W_MPLS + want - 1 - kept])
  if (have > 0 && want > 0 && type !== base[W_TYPE] >>> 16 && kept === have) {
    // The same labels under the other of the two types: the outermost is put anew.
    program.op1(OP_POP_MPLS, type)
    program.op2(OP_PUSH_MPLS, type, flow[W_MPLS])
  }
  for (let w = W_TYPE; w < KEY_WORDS; w++) base[w] = flow[w]
}
