/** The difference in IPv4, IPv6 and transport headers, written to the program. */
import {
  ETH_IPV6,
  W_IPV6_DST,
  W_IPV6_LABEL,
  W_IPV6_SRC,
  W_L4,
  W_ND_LL,
  W_ND_TARGET,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_TP,
} from '../../protocols/flow-key.ts'
import {
  OP_SET_ICMP,
  OP_SET_ICMP_ID,
  OP_SET_IPV6_DST,
  OP_SET_IPV6_LABEL,
  OP_SET_IPV6_SRC,
  OP_SET_IPV6_TCLASS,
  OP_SET_ND_LL,
  OP_SET_ND_TARGET,
  OP_SET_NW_DST,
  OP_SET_NW_SRC,
  OP_SET_NW_TOS,
  OP_SET_NW_TTL,
  OP_SET_TP_DST,
  OP_SET_TP_SRC,
} from '../actions/ops.ts'
import { dlType, icmpId, nwProto, nwTos, nwTtl, tpDst, tpSrc } from '../flow/fields.ts'
import { commitWords, differs, lookAll } from './commit.ts'
import type { Xlate } from './xlate.ts'

const PROTO_ICMP = 1
const PROTO_ICMPV6 = 58

export function commitIp(x: Xlate): void {
  const { flow, base, program } = x
  const ipv6 = dlType(flow) === ETH_IPV6
  if (ipv6) commitIpv6(x)
  if (flow[W_NW_SRC] !== base[W_NW_SRC]) {
    x.look(W_NW_SRC, 0xffffffff)
    program.op1(OP_SET_NW_SRC, flow[W_NW_SRC])
    base[W_NW_SRC] = flow[W_NW_SRC]
  }
  if (flow[W_NW_DST] !== base[W_NW_DST]) {
    x.look(W_NW_DST, 0xffffffff)
    program.op1(OP_SET_NW_DST, flow[W_NW_DST])
    base[W_NW_DST] = flow[W_NW_DST]
  }
  if (nwTos(flow) !== nwTos(base)) {
    x.look(W_NW, 0x00ff0000)
    program.op1(ipv6 ? OP_SET_IPV6_TCLASS : OP_SET_NW_TOS, nwTos(flow))
  }
  if (nwTtl(flow) !== nwTtl(base)) {
    x.look(W_NW, 0x0000ff00)
    program.op1(OP_SET_NW_TTL, nwTtl(flow))
  }
  base[W_NW] = flow[W_NW]
  commitTransport(x)
}

function commitTransport(x: Xlate): void {
  const { flow, base, program } = x
  const proto = nwProto(flow)
  const icmp = proto === PROTO_ICMP || proto === PROTO_ICMPV6
  if (icmp && flow[W_TP] !== base[W_TP]) {
    x.look(W_TP, 0xffffffff)
    program.op1(OP_SET_ICMP, (tpSrc(flow) << 8) | (tpDst(flow) & 0xff))
  } else {
    if (tpSrc(flow) !== tpSrc(base)) {
      x.look(W_TP, 0xffff0000)
      program.op1(OP_SET_TP_SRC, tpSrc(flow))
    }
    if (tpDst(flow) !== tpDst(base)) {
      x.look(W_TP, 0x0000ffff)
      program.op1(OP_SET_TP_DST, tpDst(flow))
    }
  }
  base[W_TP] = flow[W_TP]
  if (icmpId(flow) !== icmpId(base)) program.op1(OP_SET_ICMP_ID, icmpId(flow))
  base[W_L4] = flow[W_L4]
}

function commitIpv6(x: Xlate): void {
  const { flow, base, program } = x
  commitWords(x, OP_SET_IPV6_SRC, W_IPV6_SRC)
  commitWords(x, OP_SET_IPV6_DST, W_IPV6_DST)
  commitWords(x, OP_SET_ND_TARGET, W_ND_TARGET)
  const a = flow[W_ND_LL]
  const b = flow[W_ND_LL + 1]
  const c = flow[W_ND_LL + 2]
  if (differs(flow, base, W_ND_LL, 3)) lookAll(x, W_ND_LL, 3)
  if (a !== base[W_ND_LL] || b >>> 16 !== base[W_ND_LL + 1] >>> 16) {
    program.op3(OP_SET_ND_LL, 1, a >>> 16, (a << 16) | (b >>> 16))
  }
  if ((b & 0xffff) !== (base[W_ND_LL + 1] & 0xffff) || c !== base[W_ND_LL + 2]) {
    program.op3(OP_SET_ND_LL, 2, b & 0xffff, c)
  }
  if (flow[W_IPV6_LABEL] !== base[W_IPV6_LABEL]) {
    program.op1(OP_SET_IPV6_LABEL, flow[W_IPV6_LABEL])
    lookAll(x, W_IPV6_LABEL, 1)
  }
  for (let w = W_IPV6_SRC; w <= W_IPV6_LABEL; w++) base[w] = flow[w]
}
