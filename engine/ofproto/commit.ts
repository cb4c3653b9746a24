/**
 * Writes the difference between the headers as they should be (`x.flow`) and as the program has left them so
 * far (`x.base`) to the program. Labels and tags come last: what is behind them is written while it is known.
 */
import {
  ETH_ARP,
  ETH_IPV4,
  ETH_IPV6,
  ETH_NSH,
  FLAG_BAD_L3,
  FLAG_INNER_AD,
  FLAG_OUTER_AD,
  KEY_WORDS,
  PT_ETHERNET,
  W_ARP_SHA,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_NSH,
  W_NSH_CONTEXT,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_PACKET_TYPE,
  W_TYPE,
  W_VLAN,
} from '../../protocols/flow-key.ts'
import { isMpls } from '../../protocols/openflow/prerequisites.ts'
import {
  OP_POP_VLAN,
  OP_PUSH_VLAN,
  OP_SET_ARP,
  OP_SET_ARP_HA,
  OP_SET_ETH,
  OP_SET_ETH_DST,
  OP_SET_ETH_SRC,
  OP_SET_NSH,
  OP_SET_NSH_CONTEXT,
  OP_SET_VLAN,
} from '../actions/ops.ts'
import { dlType, nwProto } from '../flow/fields.ts'
import { commitIp } from './commit-ip.ts'
import { commitMpls } from './commit-mpls.ts'
import { commitFrontLabel, commitPacketType } from './commit-packet-type.ts'
import { innermostFirst } from './vlan-stack.ts'
import type { Xlate } from './xlate.ts'

export function commit(x: Xlate): void {
  const { flow, base } = x
  if (x.pending !== undefined) commitPacketType(x, x.pending)
  commitEthernet(x)
  const type = dlType(flow)
  if (isMpls(type) || isMpls(dlType(base))) commitLabels(x)
  else if ((flow[W_TYPE] & FLAG_BAD_L3) === 0) {
    if (type === ETH_IPV4 || type === ETH_IPV6) commitIp(x)
    else if (type === ETH_ARP) commitArp(x)
    else if (type === ETH_NSH) commitNsh(x)
  }
  commitVlan(x)
}

function commitLabels(x: Xlate): void {
  if (x.flow[W_PACKET_TYPE] === PT_ETHERNET) commitMpls(x)
  else commitFrontLabel(x)
}

/**
 * An operation writes its fields whole, bits that were left alone too: a flow's packets must agree in these.
 */
function commitEthernet(x: Xlate): void {
  const { flow, base, program } = x
  const high = flow[W_DL_DST]
  const mixed = flow[W_DL_MIX]
  const low = flow[W_DL_SRC]
  const destination = high !== base[W_DL_DST] || mixed >>> 16 !== base[W_DL_MIX] >>> 16
  const source = low !== base[W_DL_SRC] || (mixed & 0xffff) !== (base[W_DL_MIX] & 0xffff)
  if (!destination && !source) return
  if (destination) {
    x.look(W_DL_DST, 0xffffffff)
    x.look(W_DL_MIX, 0xffff0000)
  }
  if (source) {
    x.look(W_DL_MIX, 0x0000ffff)
    x.look(W_DL_SRC, 0xffffffff)
  }
  if (destination && source) program.op3(OP_SET_ETH, high, mixed, low)
  else if (destination) program.op2(OP_SET_ETH_DST, high, (mixed & 0xffff_0000) >>> 0)
  else program.op2(OP_SET_ETH_SRC, mixed & 0xffff, low)
  base[W_DL_DST] = high
  base[W_DL_MIX] = mixed
  base[W_DL_SRC] = low
}

function commitArp(x: Xlate): void {
  const { flow, base } = x
  if (flow[W_NW] !== base[W_NW] || flow[W_NW_SRC] !== base[W_NW_SRC] || flow[W_NW_DST] !== base[W_NW_DST]) {
    lookAt(x, W_NW_SRC, 3)
    x.program.op3(OP_SET_ARP, nwProto(flow), flow[W_NW_SRC], flow[W_NW_DST])
    x.look(W_NW, 0xff00_0000)
    lookAll(x, W_NW_SRC, 2)
  }
  if (differs(flow, base, W_ARP_SHA, 3)) {
    lookAt(x, W_ARP_SHA, 3)
    x.program.op3(OP_SET_ARP_HA, flow[W_ARP_SHA], flow[W_ARP_SHA + 1], flow[W_ARP_SHA + 2])
    lookAll(x, W_ARP_SHA, 3)
  }
  for (let w = W_NW_SRC; w < KEY_WORDS; w++) base[w] = flow[w]
}

function commitNsh(x: Xlate): void {
  const { flow, base } = x
  const ethernet = flow[W_PACKET_TYPE] === PT_ETHERNET ? 1 : 0
  if (differs(flow, base, W_NSH, 2)) {
    x.program.op3(OP_SET_NSH, flow[W_NSH], flow[W_NSH + 1], ethernet)
    lookAll(x, W_NSH, 2)
  }
  if (differs(flow, base, W_NSH_CONTEXT, 4)) {
    x.program.words(OP_SET_NSH_CONTEXT, flow, W_NSH_CONTEXT, 4, ethernet)
    lookAll(x, W_NSH_CONTEXT, 4)
  }
  for (let w = W_NW_SRC; w < KEY_WORDS; w++) base[w] = flow[w]
}

/**
 * Notes that the program depends on all of `count` words from `word` on. An operation writes whole fields: where
 * actions set only some of a field's bits, or put back what another branch has changed, the others are the
 * packet's own.
 */
export function lookAll(x: Xlate, word: number, count: number): void {
  for (let w = word; w < word + count; w++) x.look(w, 0xffff_ffff)
}

export function lookAt(x: Xlate, word: number, count: number): void {
  for (let w = word; w < word + count; w++) x.look(w, 0xffffffff)
}

/** A field of four words, whose operation has them as operands. */
export function commitWords(x: Xlate, op: number, word: number): void {
  if (!differs(x.flow, x.base, word, 4)) return
  lookAt(x, word, 4)
  x.program.words(op, x.flow, word, 4)
}

/** Whether `count` words from `word` on differ. */
export function differs(flow: Uint32Array, base: Uint32Array, word: number, count: number): boolean {
  for (let w = word; w < word + count; w++) if (flow[w] !== base[w]) return true
  return false
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
  while (same < have.length && same < want.length && have[same] === want[same]) same++
  // From here on tags are compared by what they say, and what the packet's say is written back.
  if (same < have.length && same < want.length) {
    x.look(W_VLAN, 0xffff_ffff)
    x.look(W_TYPE, FLAG_OUTER_AD | FLAG_INNER_AD)
  }
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
