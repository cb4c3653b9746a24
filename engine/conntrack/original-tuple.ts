/** The ct tuple: a connection as its first packet saw it, in the words of a flow from W_CT_NW_SRC on. */
import {
  W_CT_IPV6_DST,
  W_CT_IPV6_SRC,
  W_CT_NW_DST,
  W_CT_NW_PROTO,
  W_CT_NW_SRC,
  W_CT_TP,
} from '../../protocols/flow-key.ts'
import { PROTO_ICMP, PROTO_ICMPV6 } from './tuple.ts'

/** @param addresses four words each of source and destination, of IPv4 the first */
export function originalTuple(ipv6: boolean, addresses: Uint32Array, proto: number, tp: number): Uint32Array {
  const words = new Uint32Array(W_CT_TP + 1 - W_CT_NW_SRC)
  const put = (word: number, value: number): void => {
    words[word - W_CT_NW_SRC] = value
  }
  if (ipv6) {
    words.set(addresses.subarray(0, 4), W_CT_IPV6_SRC - W_CT_NW_SRC)
    words.set(addresses.subarray(4, 8), W_CT_IPV6_DST - W_CT_NW_SRC)
  } else {
    put(W_CT_NW_SRC, addresses[0])
    put(W_CT_NW_DST, addresses[4])
  }
  put(W_CT_NW_PROTO, ipv6 && proto === PROTO_ICMP ? PROTO_ICMPV6 : proto)
  put(W_CT_TP, proto === PROTO_ICMP ? (tp & 0xff) << 16 : tp)
  return words
}
