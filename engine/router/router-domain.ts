import type { Instant } from '../../protocols/time.ts'
import type { Conntrack } from '../conntrack/conntrack.ts'
import type { ConnectionRow, NeighborRow, Page, RouteRow, RouterSpec } from '../dpif.ts'
import type { SwitchPort } from '../ofproto/topology.ts'
import type { RouterStage } from '../ofproto/xlate.ts'

/** All routers of a datapath, as the datapath sees them. */
export interface RouterDomain extends RouterStage {
  /** The table of connections, of which ct() has zones too. */
  readonly conntrack: Conntrack

  /** Makes a router what its spec says; DpifError EINVAL when it cannot be. Ports are attached again after. */
  put(spec: RouterSpec): void
  delete(name: string): void
  /**
   * Joins a router's interface to the switch port that names it, or parts them (undefined).
   * @returns the interface's index, or -1 where there is no such router or interface yet
   */
  attach(router: string, iface: string, port: SwitchPort | undefined): number
  /** The port an interface is joined to. */
  portOf(iface: number): SwitchPort | undefined
  /** MAC address of an interface, for the bridge's static entry; undefined where there is none yet. */
  macOf(router: string, iface: string): number | undefined

  /** The slow path: SLOW_* reasons. The packet stays the caller's, but may be changed. */
  slow(reason: number, arg: number, h: number): void
  /** Per packet of a tracked connection; false when the cached decision no longer holds (tag touched). */
  track(connection: number, direction: number, h: number): boolean

  /** Sends a whole Ethernet frame out of an interface. */
  output(router: string, iface: string, frame: Uint8Array): void
  /** Routes an IPv4 datagram of the router's own. */
  send(router: string, datagram: Uint8Array): void
  /** ARP probe; ends in a `probe` event. */
  probe(router: string, iface: string, address: number): void

  poll(now: Instant): void
  pollAt(): Instant | undefined

  neighbors(router: string): NeighborRow[]
  routes(router: string): RouteRow[]
  connections(router: string, from: number): Page<ConnectionRow>
  connectionsFlush(router: string): void
  /** Connections tracked in all. */
  connectionCount(): number
}
