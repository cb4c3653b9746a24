/** Which packets may be the first of a connection that NAT translates. */
import { W_L4 } from '../../protocols/flow-key.ts'
import { tcpFlags } from '../flow/fields.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import { isIcmpQuery, PROTO_TCP, PROTO_UDP } from './tuple.ts'

const SYN = 0x02
const ACK = 0x10
const SYN_FIN_RST_ACK = 0x17

/** A TCP connection from outside begins with a SYN and nothing else. */
export function opens(x: Xlate, proto: number): boolean {
  if (proto !== PROTO_TCP) return true
  x.look(W_L4, SYN_FIN_RST_ACK << 16)
  return (tcpFlags(x.flow) & SYN_FIN_RST_ACK) === SYN
}

/** From inside also one may begin that is older than our memory of it; answers to nothing may not. */
export function mayBegin(x: Xlate, proto: number, tp: number): boolean {
  if (proto === PROTO_UDP) return true
  if (proto !== PROTO_TCP) return isIcmpQuery(tp & 0xff)
  x.look(W_L4, SYN_FIN_RST_ACK << 16)
  const flags = tcpFlags(x.flow) & SYN_FIN_RST_ACK
  return flags === SYN || (flags & ~0x01) === ACK
}
