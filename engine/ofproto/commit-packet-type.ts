/**
 * Writes to the program the header that encap() has put in front of the packet, with all that actions have made of
 * its fields since, or that decap() has taken off.
 */
import {
  KEY_WORDS,
  W_DL_DST,
  W_DL_SRC,
  W_MPLS,
  W_NSH,
  W_PACKET_TYPE,
  W_TYPE,
} from '../../protocols/flow-key.ts'
import { u32 } from '../../protocols/wire/big-endian.ts'
import {
  OP_ADD_MPLS,
  OP_POP_ETH,
  OP_POP_LABEL,
  OP_POP_NSH,
  OP_PREPEND,
  OP_PUSH_ETH,
  OP_PUSH_NSH,
} from '../actions/ops.ts'
import type { Xlate } from './xlate.ts'

/** There is never more than one: the next encap() or decap() commits it. */
export type PendingHeader =
  | { readonly header: 'push_eth' | 'pop_eth' | 'pop_nsh' | 'add_mpls' | 'pop_label' }
  /** TLVs of MD type 2 as they are on the wire: words of four bytes. */
  | { readonly header: 'push_nsh'; readonly tlvs: Uint8Array }

export function commitPacketType(x: Xlate, pending: PendingHeader): void {
  const { flow, base, program } = x
  const type = flow[W_TYPE] >>> 16
  x.pending = undefined
  x.irreversible++
  switch (pending.header) {
    case 'push_eth':
      program.words(OP_PUSH_ETH, flow, W_DL_DST, 3, type)
      break
    case 'pop_eth':
      program.op(OP_POP_ETH)
      break
    case 'push_nsh':
      for (let o = pending.tlvs.length - 4; o >= 0; o -= 4) program.op1(OP_PREPEND, u32(pending.tlvs, o))
      program.words(OP_PUSH_NSH, flow, W_NSH, 6, pending.tlvs.length)
      break
    case 'pop_nsh':
      program.op(OP_POP_NSH)
      break
    case 'add_mpls':
      program.op2(OP_ADD_MPLS, type, flow[W_MPLS])
      break
    case 'pop_label':
      program.op1(OP_POP_LABEL, type)
  }
  // Where Ethernet comes or goes, what is behind it may have been changed too, and that is still to be written.
  const front = pending.header === 'push_eth' || pending.header === 'pop_eth'
  for (let w = W_DL_DST; w < (front ? W_DL_SRC + 1 : KEY_WORDS); w++) base[w] = flow[w]
  base[W_PACKET_TYPE] = flow[W_PACKET_TYPE]
  if (!front) x.baseVlans = x.vlans
}

/** The label in front of a packet without Ethernet is another one. */
export function commitFrontLabel(x: Xlate): void {
  const { flow, base, program } = x
  if (flow[W_MPLS] === base[W_MPLS]) return
  const type = flow[W_TYPE] >>> 16
  x.look(W_MPLS, 0xffff_ffff)
  program.op1(OP_POP_LABEL, type)
  program.op2(OP_ADD_MPLS, type, flow[W_MPLS])
  base[W_MPLS] = flow[W_MPLS]
}
