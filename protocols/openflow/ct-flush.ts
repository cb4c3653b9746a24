/** Flushing connections: NXT_CT_FLUSH_ZONE and NXT_CT_FLUSH. */

/** One direction of the connections to flush. What is undefined is not compared. */
export interface CtTuple {
  /** 4 or 16 bytes. */
  src?: Uint8Array | undefined
  dst?: Uint8Array | undefined
  /** Ports, or of ICMP below. */
  srcPort?: number | undefined
  dstPort?: number | undefined
  icmpId?: number | undefined
  icmpType?: number | undefined
  icmpCode?: number | undefined
}

export interface CtFlush {
  /** 0: any. */
  ipProto: number
  /** AF_INET 2, AF_INET6 10, 0 for any. */
  family: number
  zone: number | undefined
  original: CtTuple
  reply: CtTuple
}
