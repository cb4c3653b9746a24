import { linkTable } from '../../engine/sys/link-info.ts'
import { addressTable, type KernelRoute, routeTable } from '../../engine/sys/route-table.ts'
import { type IpPrefix, ipOf, prefixOf } from './ip-prefix.ts'
import type { Surroundings, SystemRoute } from './tunnel-routes.ts'

/** The devices and routes of the machine, or of the namespace that the daemon runs in, as they are now. */
export function machineSurroundings(): Surroundings {
  const names = new Map(Array.from(linkTable(), ([name, { index }]) => [index, name]))
  const byDevice = new Map<string, IpPrefix[]>()
  for (const { address, prefixLength, device } of addressTable()) {
    const name = names.get(device)
    if (name === undefined) continue
    const own = byDevice.get(name) ?? []
    byDevice.set(name, own)
    own.push(prefixOf(address, prefixLength))
  }
  const routeOf = ({ to, prefixLength, device, gateway, local }: KernelRoute): SystemRoute => ({
    to: prefixOf(to, prefixLength),
    mark: 0,
    // One that has gone meanwhile has no addresses either.
    device: names.get(device) ?? '',
    gateway: gateway && ipOf(gateway),
    origin: local ? 'local' : 'system',
  })
  return { addresses: (device) => byDevice.get(device) ?? [], routes: routeTable().map(routeOf) }
}
