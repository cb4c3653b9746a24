/** OpenFlow 1.0's actions that set one header field: each does nothing to a packet that has no such field. */
import {
  ETH_IPV4,
  FLAG_LATER,
  PT_ETHERNET,
  W_DL_DST,
  W_DL_MIX,
  W_DL_SRC,
  W_NW,
  W_NW_DST,
  W_NW_SRC,
  W_PACKET_TYPE,
  W_TP,
  W_TUN_ID,
  W_TYPE,
} from '../../../protocols/flow-key.ts'
import { flowEthType, isIp } from '../../../protocols/openflow/prerequisites.ts'
import { isLaterFragment, nwProto, setDlDst, setDlSrc, setTpDst, setTpSrc } from '../../flow/fields.ts'
import type { Xlate } from '../xlate.ts'

const PROTO_TCP = 6
const PROTO_UDP = 17
const PROTO_SCTP = 132

export function setEth(x: Xlate, destination: boolean, mac: Uint8Array): void {
  if (x.flow[W_PACKET_TYPE] !== PT_ETHERNET) return
  let address = 0
  for (const byte of mac) address = address * 256 + byte
  if (destination) {
    x.look(W_DL_DST, 0xffffffff)
    x.look(W_DL_MIX, 0xffff0000)
    setDlDst(x.flow, address)
  } else {
    x.look(W_DL_MIX, 0x0000ffff)
    x.look(W_DL_SRC, 0xffffffff)
    setDlSrc(x.flow, address)
  }
}

export function setIpv4(x: Xlate, destination: boolean, address: number): void {
  x.look(W_TYPE, 0xffff0000)
  if (flowEthType(x.flow) !== ETH_IPV4) return
  const word = destination ? W_NW_DST : W_NW_SRC
  x.look(word, 0xffffffff)
  x.flow[word] = address
}

/** TOS bits or TTL: bits of the flow's W_NW word. */
export function setNwByte(x: Xlate, shift: number, mask: number, value: number): void {
  x.look(W_TYPE, 0xffff0000)
  if (!isIp(flowEthType(x.flow))) return
  x.look(W_NW, mask << shift)
  x.flow[W_NW] = ((x.flow[W_NW] & ~(mask << shift)) | ((value & mask) << shift)) >>> 0
}

export function setL4Port(x: Xlate, destination: boolean, port: number): void {
  const { flow } = x
  x.look(W_TYPE, 0xffff0000 | FLAG_LATER)
  if (!isIp(flowEthType(flow)) || isLaterFragment(flow)) return
  x.look(W_NW, 0xff000000)
  const proto = nwProto(flow)
  if (proto !== PROTO_TCP && proto !== PROTO_UDP && proto !== PROTO_SCTP) return
  x.look(W_TP, destination ? 0x0000ffff : 0xffff0000)
  if (destination) setTpDst(flow, port)
  else setTpSrc(flow, port)
}

export function setTunnel(x: Xlate, id: bigint): void {
  x.flow[W_TUN_ID] = Number(id >> 32n)
  x.flow[W_TUN_ID + 1] = Number(id & 0xffff_ffffn)
}
