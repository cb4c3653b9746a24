/** What NAT makes of a packet's addresses and ports, in the flow of a translation. */
import { W_NW_DST, W_NW_SRC } from '../../protocols/flow-key.ts'
import { setIcmpId, setTpDst, setTpSrc } from '../flow/fields.ts'
import type { Xlate } from '../ofproto/xlate.ts'
import { NAT_DROPPED } from '../router/nat-stage.ts'
import { PROTO_ICMP } from './tuple.ts'

export function drop(x: Xlate, reason: number): number {
  x.drop(reason)
  return NAT_DROPPED
}

/** @param port or identifier of an ICMP message */
export function setDestination(x: Xlate, proto: number, address: number, port: number): void {
  x.flow[W_NW_DST] = address
  if (proto === PROTO_ICMP) setIcmpId(x.flow, port)
  else setTpDst(x.flow, port)
}

/** @param port or identifier of an ICMP message */
export function setSource(x: Xlate, proto: number, address: number, port: number): void {
  x.flow[W_NW_SRC] = address
  if (proto === PROTO_ICMP) setIcmpId(x.flow, port)
  else setTpSrc(x.flow, port)
}
