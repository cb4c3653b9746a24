/** What of a flow identifies its connection. */
import {
  ETH_IPV4,
  ETH_IPV6,
  FLAG_BAD_L3,
  FLAG_BAD_L4,
  FLAG_FRAG,
  W_IPV6_DST,
  W_IPV6_SRC,
  W_L4,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
  W_TYPE,
} from '../../protocols/flow-key.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import {
  isIcmpQuery,
  isIcmpReply,
  PROTO_ICMP,
  PROTO_ICMPV6,
  PROTO_SCTP,
  PROTO_TCP,
  PROTO_UDP,
} from './tuple.ts'

const ECHO_REQUEST6 = 128
const ECHO_REPLY6 = 129

export interface PacketTuple {
  readonly ipv6: boolean
  /** ICMPv6 queries count as ICMP, with ICMP's types. */
  readonly proto: number
  /** See tuple.ts. */
  readonly tp: number
}

/** The packet's tuple, or undefined when it can belong to no connection. All that tells so has been looked at. */
export function packetTuple(x: Xlate): PacketTuple | undefined {
  const { flow } = x
  x.look(W_TYPE, 0xffff0000 | FLAG_FRAG | FLAG_BAD_L3 | FLAG_BAD_L4)
  const type = flow[W_TYPE] >>> 16
  if (type !== ETH_IPV4 && type !== ETH_IPV6) return undefined
  // Fragments are not put together here: only a whole datagram shows its ports.
  if ((flow[W_TYPE] & (FLAG_FRAG | FLAG_BAD_L3 | FLAG_BAD_L4)) !== 0) return undefined
  const ipv6 = type === ETH_IPV6
  if (ipv6) {
    for (let i = 0; i < 4; i++) {
      x.look(W_IPV6_SRC + i, 0xffffffff)
      x.look(W_IPV6_DST + i, 0xffffffff)
    }
  } else {
    x.look(W_NW_SRC, 0xffffffff)
    x.look(W_NW_DST, 0xffffffff)
  }
  x.look(W_NW, 0xff000000)
  const proto = flow[W_NW] >>> 24
  if (proto === (ipv6 ? PROTO_ICMPV6 : PROTO_ICMP)) return icmpTuple(x, ipv6)
  if (proto === PROTO_TCP || proto === PROTO_UDP || proto === PROTO_SCTP) {
    x.look(W_TP, 0xffffffff)
    return { ipv6, proto, tp: flow[W_TP] }
  }
  return { ipv6, proto, tp: 0 }
}

function icmpTuple(x: Xlate, ipv6: boolean): PacketTuple | undefined {
  const { flow } = x
  x.look(W_TP, 0xffff0000)
  let type = flow[W_TP] >>> 16
  if (ipv6) {
    if (type !== ECHO_REQUEST6 && type !== ECHO_REPLY6) return undefined
    type = type === ECHO_REQUEST6 ? 8 : 0
  } else if (!isIcmpQuery(type) && !isIcmpReply(type)) return undefined
  x.look(W_L4, 0x0000ffff)
  return { ipv6, proto: PROTO_ICMP, tp: (((flow[W_L4] & 0xffff) << 16) | type) >>> 0 }
}
