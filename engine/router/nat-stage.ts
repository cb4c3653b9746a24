import type { Xlate } from '../ofproto/xlate.ts'

/** Verdicts of the NAT stages. */
/** Go on; `x.flow` may have been rewritten. */
export const NAT_CONTINUE = 0
/** The stage has dropped the packet (it called `x.drop`). */
export const NAT_DROPPED = 1
/** The stage handed the packet to the slow path (it called `x.slow`). */
export const NAT_SLOW = 2

/**
 * NAT as a router's translation sees it, in the places where Linux has PREROUTING and POSTROUTING. Both look
 * only at IPv4 TCP, UDP and ICMP that is no fragment (fragments have been put together before).
 *
 * What a translation learns in `prerouting` it may keep in fields of the stage until `postrouting` of the same
 * router in the same translation; a router is never re-entered in between.
 */
export interface NatStage {
  /**
   * Before routing. Finds the connection; if there is one, emits OP_CT (before any rewrite, so that the
   * packet can be shown to the tracker as it came) and rewrites the destination as it requires. With none,
   * matches DNAT rules and mappings open to strangers.
   */
  prerouting(x: Xlate, iface: number): number

  /** After routing, when the way out is known. Rewrites the source; creates the connection if one is due. */
  postrouting(x: Xlate, inIface: number, outIface: number): number

  /**
   * Whether an address is one this router's NAT answers for on an interface although no interface has it
   * (external pools, DNAT addresses): the router then answers ARP for it (proxy), provided it lies in the
   * interface's subnet.
   */
  owns(address: number): boolean
}
