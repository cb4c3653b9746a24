/**
 * The five-tuple of a connection's packets, with `tp` the transport word of the flow key: for TCP and UDP
 * source port << 16 | destination port; for ICMP identifier << 16 | type, so that a query and its reply are
 * the two directions of one connection while a stranger's query with the same identifier is not.
 */

export const PROTO_ICMP = 1
export const PROTO_TCP = 6
export const PROTO_UDP = 17
export const PROTO_ICMPV6 = 58
export const PROTO_SCTP = 132

/** ICMP messages with an identifier: RFC 792 echo, timestamp, information; RFC 950 address mask. */
export function isIcmpQuery(type: number): boolean {
  return type === 8 || type === 13 || type === 15 || type === 17
}

export function isIcmpReply(type: number): boolean {
  return type === 0 || type === 14 || type === 16 || type === 18
}

/** ICMP errors: unreachable, source quench, redirect, time exceeded, parameter problem. */
export function isIcmpError(type: number): boolean {
  return type === 3 || type === 4 || type === 5 || type === 11 || type === 12
}

/** The type of the opposite direction; only for queries and replies. */
export function icmpOpposite(type: number): number {
  if (type === 8) return 0
  if (type === 0) return 8
  return isIcmpQuery(type) ? type + 1 : type - 1
}

/** The transport word of packets going the other way. */
export function reverseTp(proto: number, tp: number): number {
  if (proto === PROTO_ICMP) return ((tp & 0xffff0000) | icmpOpposite(tp & 0xff)) >>> 0
  return ((tp << 16) | (tp >>> 16)) >>> 0
}

/** The source port, or the identifier of an ICMP message. */
export function sourceOf(tp: number): number {
  return tp >>> 16
}

/** The destination port, or the identifier of an ICMP message. */
export function destinationOf(proto: number, tp: number): number {
  return proto === PROTO_ICMP ? tp >>> 16 : tp & 0xffff
}

export function withSource(tp: number, port: number): number {
  return ((port << 16) | (tp & 0xffff)) >>> 0
}

export function withDestination(proto: number, tp: number, port: number): number {
  return proto === PROTO_ICMP ? withSource(tp, port) : ((tp & 0xffff0000) | port) >>> 0
}
