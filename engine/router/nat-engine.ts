import type { Instant } from '../../protocols/time.ts'
import type { ConnectionRow, Page, RouterSpec } from '../dpif.ts'
import type { NatStage } from './nat-stage.ts'

/** A router as the connection tracker sees it. Valid until the next `put` of the same router. */
export interface NatRouter {
  readonly spec: RouterSpec
  /** A small number that names the router in tags and zones; stays the same over `put`. */
  readonly index: number
  /** Index, as the translation uses it, of the interface of that name, or -1. */
  interfaceIndex(name: string): number
  /** First address of the interface with this index (what masquerading uses), or 0. */
  addressOf(iface: number): number
}

/** The connection tracker and translator of all routers of a datapath, as the routers see it. */
export interface NatEngine {
  /**
   * Set by the routers: answers a packet that reached an interface with ICMP port unreachable. Used for SYNs
   * that nobody wanted (RFC 5382 REQ-4). The packet stays the caller's.
   */
  portUnreachable: (h: number, iface: number) => void

  /** A router was put: its NAT, with the connections that still apply; undefined when it has no rules. */
  put(router: NatRouter): NatStage | undefined
  delete(name: string): void

  /** OP_CT; false when the cached decision no longer holds (tag touched). */
  track(connection: number, direction: number, h: number): boolean
  /**
   * SLOW_ICMP_ERROR: translates an ICMP error about a translated connection in place, the datagram it quotes
   * included (RFC 5508 §4.2). The router then forwards it to its new destination, without asking NAT again.
   * @returns false when it is to go no further; it has been counted then
   */
  icmpError(h: number, iface: number): boolean

  poll(now: Instant): void
  pollAt(): Instant | undefined
  connections(router: string, from: number): Page<ConnectionRow>
  connectionsFlush(router: string): void
  connectionCount(): number
}
