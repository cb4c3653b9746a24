import type { Random } from '../protocols/random.ts'
import type { DpifEvent } from './dpif.ts'
import type { PacketPool } from './memory/packet-pool.ts'
import type { PacketInSink } from './packet-ins.ts'
import type { RouterDomain } from './router/router-domain.ts'
import type { RouterHost } from './router/router-host.ts'
import type { ServiceSink } from './service-frames.ts'

/** Megaflows at the most; a power of two. */
export const FLOW_LIMIT = 1 << 18

/** What a datapath is made with. */
export interface DatapathOptions {
  readonly pool: PacketPool
  readonly random: Random
  /** Makes the routers that live in this datapath. */
  readonly routers: (host: RouterHost) => RouterDomain
  /** Where events go. */
  readonly emit: (event: DpifEvent) => void
  /** Where packets for controllers go. */
  readonly packetIn: PacketInSink
  /** Where datagrams for services go. */
  readonly service: ServiceSink
  /** Megaflows at the most; FLOW_LIMIT if it is not told. */
  readonly flowLimit?: number
  /** Entries of the exact-match cache, a power of two; as many as megaflows if it is not told. */
  readonly emcEntries?: number
}
