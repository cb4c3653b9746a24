/** The operations that change a header and nothing else, other than those every routed packet needs. */
import type { PacketPool } from '../memory/packet-pool.ts'
import {
  OP_POP_MPLS,
  OP_SET_ARP,
  OP_SET_ARP_HA,
  OP_SET_ETH_DST,
  OP_SET_ETH_SRC,
  OP_SET_ICMP,
  OP_SET_IPV6_DST,
  OP_SET_IPV6_LABEL,
  OP_SET_IPV6_SRC,
  OP_SET_IPV6_TCLASS,
  OP_SET_MPLS,
  OP_SET_ND_LL,
  OP_SET_ND_TARGET,
  OP_SET_NSH,
  OP_SET_NSH_CONTEXT,
  OP_SET_NW_TTL,
} from './ops.ts'
import { setEthDst, setEthSrc, setIcmp, setNwTtl } from './rewrite.ts'
import { setArp, setArpHardware } from './rewrite-arp.ts'
import {
  setIpv6Dst,
  setIpv6Label,
  setIpv6Src,
  setIpv6TrafficClass,
  setNdLinkLayer,
  setNdTarget,
} from './rewrite-ipv6.ts'
import { popMpls, setMpls, setNsh, setNshContext } from './rewrite-mpls.ts'

/** Carries out the operation at `pc`. */
export function rewriteHeader(pool: PacketPool, code: Int32Array, pc: number, h: number): void {
  switch (code[pc]) {
    case OP_SET_ETH_DST:
      setEthDst(pool, h, code[pc + 1], code[pc + 2])
      return
    case OP_SET_ETH_SRC:
      setEthSrc(pool, h, code[pc + 1], code[pc + 2])
      return
    case OP_SET_NW_TTL:
      setNwTtl(pool, h, code[pc + 1])
      return
    case OP_SET_IPV6_SRC:
      setIpv6Src(pool, h, code, pc + 1)
      return
    case OP_SET_IPV6_DST:
      setIpv6Dst(pool, h, code, pc + 1)
      return
    case OP_SET_IPV6_TCLASS:
      setIpv6TrafficClass(pool, h, code[pc + 1])
      return
    case OP_SET_IPV6_LABEL:
      setIpv6Label(pool, h, code[pc + 1])
      return
    case OP_SET_ICMP:
      setIcmp(pool, h, code[pc + 1])
      return
    case OP_SET_ARP:
      setArp(pool, h, code[pc + 1], code[pc + 2], code[pc + 3])
      return
    case OP_SET_ARP_HA:
      setArpHardware(pool, h, code[pc + 1], code[pc + 2], code[pc + 3])
      return
    case OP_SET_ND_TARGET:
      setNdTarget(pool, h, code, pc + 1)
      return
    case OP_SET_ND_LL:
      setNdLinkLayer(pool, h, code[pc + 1], code[pc + 2], code[pc + 3])
      return
    case OP_POP_MPLS:
      popMpls(pool, h, code[pc + 1])
      return
    case OP_SET_MPLS:
      setMpls(pool, h, code[pc + 1])
      return
    case OP_SET_NSH:
      setNsh(pool, h, code[pc + 1], code[pc + 2], code[pc + 3])
      return
    case OP_SET_NSH_CONTEXT:
      setNshContext(pool, h, code, pc + 1)
      return
    default:
      throw new Error(`no such operation: ${code[pc]} at ${pc}`)
  }
}
