import { contains } from '../../protocols/wire/ipv4.ts'
import type { RouterInterfaceSpec } from '../dpif.ts'
import type { SwitchPort } from '../ofproto/topology.ts'
import type { ServiceAddress } from '../service-frames.ts'
import type { Neighbors } from './neighbors.ts'
import type { Router } from './router.ts'
import { TokenBucket } from './token-bucket.ts'

/** Datagrams a second that an interface hands up to services, and how many at once. */
const SERVICE_RATE = 100_000
const SERVICE_BURST = 4_096

/** One interface of a router. It stays the same object while the router has an interface of that name. */
export class RouterInterface {
  readonly router: Router
  /** Names it in the datapath: operand of operations, key of tags. */
  readonly index: number
  spec: RouterInterfaceSpec
  /** The switch port that leads to it, once there is one. */
  port: SwitchPort | undefined
  neighbors!: Neighbors
  /** What stands by datagrams for services behind it. */
  readonly serviceAddress: ServiceAddress
  readonly serviceBucket = new TokenBucket(SERVICE_RATE, SERVICE_BURST)

  constructor(router: Router, index: number, spec: RouterInterfaceSpec) {
    this.router = router
    this.index = index
    this.spec = spec
    this.serviceAddress = { router: router.spec.name, interface: spec.name }
  }

  /** The address to speak from to a station on this link: the one of its subnet, else the first; 0 for none. */
  addressFor(neighbor: number): number {
    for (const p of this.spec.addresses) if (contains(p, neighbor)) return p.address
    return this.spec.addresses[0]?.address ?? 0
  }
}
