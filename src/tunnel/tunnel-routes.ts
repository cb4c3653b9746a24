/**
 * Where the outer packets of tunnels go: routes that were given by hand, ovs-vswitchd(8) "OVS ROUTER COMMANDS". The
 * longest prefix of a packet mark is the one that counts.
 */
import { contains, type IpPrefix, isMapped, network } from './ip-prefix.ts'

/** More than so many are refused. */
const MAX_ROUTES = 4096

export interface TunnelRoute {
  readonly to: IpPrefix
  readonly mark: number
  readonly device: string
  /** Undefined where the other end is on the device's own link. */
  readonly gateway: Uint8Array | undefined
}

export interface UsableRoute extends TunnelRoute {
  /** The device's own address that packets come from. */
  readonly source: Uint8Array
}

/** The addresses of a device, each with the length of its subnet's prefix; none for a device that is not there. */
export type DeviceAddresses = (device: string) => readonly IpPrefix[]

const keyOf = ({ address, length }: IpPrefix, mark: number): string => `${address} ${length} ${mark}`

export class TunnelRoutes {
  readonly #addresses: DeviceAddresses
  readonly #routes = new Map<string, UsableRoute>()

  constructor(addresses: DeviceAddresses) {
    this.#addresses = addresses
  }

  /** Adds a route, in place of one to the same. @returns false when the device has no address to send from */
  add(route: TunnelRoute): boolean {
    const source = this.#sourceFor(route)
    const key = keyOf(network(route.to), route.mark)
    if (source === undefined || (this.#routes.size === MAX_ROUTES && !this.#routes.has(key))) return false
    this.#routes.set(key, { ...route, to: network(route.to), source })
    return true
  }

  /** @returns whether there was one */
  remove(to: IpPrefix, mark: number): boolean {
    return this.#routes.delete(keyOf(network(to), mark))
  }

  lookup(address: Uint8Array, mark: number): UsableRoute | undefined {
    let best: UsableRoute | undefined
    for (const route of this.#routes.values()) {
      if (route.mark !== mark || route.to.length <= (best?.to.length ?? -1)) continue
      if (contains(route.to, address)) best = route
    }
    return best
  }

  all(): Iterable<UsableRoute> {
    return this.#routes.values()
  }

  /** The address whose subnet holds the destination or, if none does, the gateway; of several the narrowest. */
  #sourceFor({ to, device, gateway }: TunnelRoute): Uint8Array | undefined {
    const own = this.#addresses(device)
    for (const target of gateway === undefined ? [to.address] : [to.address, gateway]) {
      const near = own.filter(
        (prefix) => isMapped(prefix.address) === isMapped(target) && contains(prefix, target),
      )
      const [narrowest] = near.sort((a, b) => b.length - a.length)
      if (narrowest !== undefined) return narrowest.address
    }
    return undefined
  }
}
