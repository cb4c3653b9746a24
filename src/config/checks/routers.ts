import { contains, type Prefix } from '../../../protocols/wire/ipv4.ts'
import { parseAddress } from '../address.ts'
import type { RouterInput } from '../routers.ts'
import { listSubnets } from './addresses.ts'
import { checkDhcp } from './dhcp.ts'
import { checkDestination, checkRouterSubnets } from './interfaces.ts'
import { checkNat } from './nat.ts'
import { entries, items, type Loose, type LooseConfig, type Reporter, Unique } from './reporter.ts'

function checkRouter(name: string, router: Loose<RouterInput>, report: Reporter): void {
  const path = ['routers', name]
  const interfaces = checkRouterSubnets(router.interfaces, [...path, 'interfaces'], report)
  const addresses: Prefix[] = [...interfaces.values()].flat()
  // Where an address is missing or refused, what refers to it cannot be judged.
  const complete = entries(router.interfaces).every(
    ([i, iface]) =>
      interfaces.get(i)!.length === [iface.address].flat().length && iface.address !== undefined,
  )
  const destinations = new Unique<string>()
  for (const [i, route] of items(router.routes)) {
    const at = [...path, 'routes', i]
    checkDestination(route, at, destinations, report)
    const via = parseAddress(route.via)
    if (via === undefined) continue
    if (addresses.some((a) => a.address === via)) {
      report.value([...at, 'via'], 'the address of another machine, not one of the router')
    } else if (complete && !addresses.some((a) => contains(a, via))) {
      const where = addresses.length === 0 ? ' (it has no interface)' : `: ${listSubnets(addresses)}`
      report.value([...at, 'via'], `an address on a subnet of the router${where}`)
    }
  }
  checkNat(
    router.nat,
    {
      interfaces: Object.keys(router.interfaces ?? {}),
      addresses: complete ? addresses.map((a) => a.address) : undefined,
    },
    [...path, 'nat'],
    report,
  )
  for (const [i, iface] of entries(router.interfaces)) {
    if (iface.dhcp !== undefined) {
      checkDhcp(iface.dhcp, interfaces.get(i)!, [...path, 'interfaces', i, 'dhcp'], report)
    }
  }
}

export function checkRouters(config: LooseConfig, report: Reporter): void {
  for (const [name, router] of entries(config.routers)) checkRouter(name, router, report)
}
