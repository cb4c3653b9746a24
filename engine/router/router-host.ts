import type { Random } from '../../protocols/random.ts'
import type { Instant } from '../../protocols/time.ts'
import type { DpifEvent } from '../dpif.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import type { TagListener } from '../ofproto/tags.ts'
import type { ServiceSink } from '../service-frames.ts'

/** What routers and the connection tracker ask of the datapath they live in. */
export interface RouterHost extends TagListener {
  readonly pool: PacketPool
  readonly random: Random
  /** The time of the present burst. */
  readonly now: Instant
  /** Hands a datagram up to a service. */
  readonly service: ServiceSink
  /**
   * Translates and runs a packet as though the router's interface had just received it (untagged Ethernet
   * frame). Nothing is cached. The packet stays the caller's, but is changed.
   */
  enterRouter(h: number, iface: number): void
  /**
   * Sends a whole untagged Ethernet frame out of a router's interface into its bridge, by flows that are cached like
   * those of any other port. The packet stays the caller's, but is changed.
   */
  leaveRouter(h: number, iface: number): void
  /** When a cached flow under this tag last carried a packet; -Infinity for never. */
  lastUsed(tag: number): Instant
  /** Counts a dropped packet; it stays the caller's. */
  drop(reason: number, h: number): void
  /** Reports to the control side. */
  emit(event: DpifEvent): void
}
