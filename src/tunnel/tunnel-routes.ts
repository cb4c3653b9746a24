/**
 * Where the outer packets of tunnels go, ovs-vswitchd(8) "OVS ROUTER COMMANDS": routes given by hand and, read whenever
 * it is asked, those of the machine.
 */
import { contains, type IpPrefix, isMapped, network } from './ip-prefix.ts'

/** More than so many given by hand are refused. */
const MAX_ROUTES = 4096

export interface TunnelRoute {
  readonly to: IpPrefix
  readonly mark: number
  readonly device: string
  /** Undefined where the other end is on the device's own link. */
  readonly gateway: Uint8Array | undefined
}

export interface SystemRoute extends TunnelRoute {
  /** `local`: to the machine itself. */
  readonly origin: 'system' | 'local'
}

export interface UsableRoute extends TunnelRoute {
  readonly origin: 'user' | 'system' | 'local'
  /** The device's own address that packets come from. */
  readonly source: Uint8Array
}

/** The addresses of a device, each with the length of its subnet's prefix; none for a device that is not there. */
export type DeviceAddresses = (device: string) => readonly IpPrefix[]

/** What there is around the switch at one instant. */
export interface Surroundings {
  readonly addresses: DeviceAddresses
  readonly routes: readonly SystemRoute[]
}

/** The longest prefix is preferred; what a route's origin counts, in bits of its prefix. */
const BONUS = { system: 0, user: 32, local: 64 } as const

const preference = ({ to, origin }: UsableRoute): number => to.length + BONUS[origin]

const keyOf = ({ address, length }: IpPrefix, mark: number): string => `${address} ${length} ${mark}`

export class TunnelRoutes {
  readonly #surroundings: () => Surroundings
  readonly #given = new Map<string, UsableRoute>()

  constructor(surroundings: () => Surroundings) {
    this.#surroundings = surroundings
  }

  /** Adds a route, in place of one to the same. @returns false when the device has no address to send from */
  add(route: TunnelRoute): boolean {
    const source = sourceFor(route, this.#surroundings().addresses)
    const key = keyOf(network(route.to), route.mark)
    if (source === undefined || (this.#given.size === MAX_ROUTES && !this.#given.has(key))) return false
    this.#given.set(key, { ...route, to: network(route.to), origin: 'user', source })
    return true
  }

  /** @returns whether there was one that was given by hand */
  remove(to: IpPrefix, mark: number): boolean {
    return this.#given.delete(keyOf(network(to), mark))
  }

  /** The preferred one of those with the packet mark whose prefix holds the address. */
  lookup(address: Uint8Array, mark: number): UsableRoute | undefined {
    return this.all().find((route) => route.mark === mark && contains(route.to, address))
  }

  /** All that can be used, the preferred first. */
  all(): UsableRoute[] {
    const { addresses, routes } = this.#surroundings()
    const system = new Map<string, UsableRoute>()
    for (const route of routes) {
      const source = sourceFor(route, addresses)
      // Of several to the same the last counts.
      if (source !== undefined) system.set(`${keyOf(route.to, 0)} ${route.origin}`, { ...route, source })
    }
    return [...system.values(), ...this.#given.values()].sort((a, b) => preference(b) - preference(a))
  }
}

/** The address whose subnet holds the destination or, if none does, the gateway; of several the narrowest. */
function sourceFor({ to, device, gateway }: TunnelRoute, addresses: DeviceAddresses): Uint8Array | undefined {
  const own = addresses(device)
  for (const target of gateway === undefined ? [to.address] : [to.address, gateway]) {
    const near = own.filter(
      (prefix) => isMapped(prefix.address) === isMapped(target) && contains(prefix, target),
    )
    const [narrowest] = near.sort((a, b) => b.length - a.length)
    if (narrowest !== undefined) return narrowest.address
  }
  return undefined
}
