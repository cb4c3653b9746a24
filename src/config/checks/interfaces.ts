import { contains, formatPrefix, type Prefix } from '../../../protocols/wire/ipv4.ts'
import { overlap, parseAddress, subnetOf } from '../address.ts'
import { formatPath, type Path } from '../config-error.ts'
import { IFNAME_EXPECTED, IFNAME_PATTERN, NODE_EXPECTED, NODE_PATTERN } from '../fields.ts'
import type { HostInput, HostInterfaceInput } from '../hosts.ts'
import { checkMac, checkSubnet, interfaceAddress, listSubnets } from './addresses.ts'
import { checkQos } from './qos.ts'
import { each, entries, items, type Loose, type LooseConfig, type Reporter, Unique } from './reporter.ts'
import { checkVlan } from './vlans.ts'

const IFNAME = new RegExp(`^${IFNAME_PATTERN}$`)
const NODE = new RegExp(`^${NODE_PATTERN}$`)

/** What hosts and routers have in common: names, the bridge, MAC and VLAN of each interface. */
export function checkAttachments(config: LooseConfig, bridgesReadable: boolean, report: Reporter): void {
  const bridges = Object.keys(config.bridges ?? {})
  const expected =
    bridges.length === 0 ? 'the name of a bridge (there is none)' : `a bridge: ${bridges.join(', ')}`
  for (const kind of ['hosts', 'routers'] as const) {
    for (const [owner, node] of entries<Loose<HostInput>>(config[kind])) {
      if (!NODE.test(owner)) report.key([kind, owner], NODE_EXPECTED)
      for (const [name, iface] of entries<Loose<HostInterfaceInput>>(node.interfaces)) {
        const path = [kind, owner, 'interfaces', name]
        if (!IFNAME.test(name)) report.key(path, IFNAME_EXPECTED)
        else if (name === 'lo') report.key(path, 'another name: "lo" is the loopback interface')
        if (iface.bridge !== undefined && bridgesReadable && !bridges.includes(iface.bridge)) {
          report.value([...path, 'bridge'], expected, bridges)
        }
        checkMac(iface.mac, [...path, 'mac'], report)
        checkVlan(iface, path, report)
        checkQos(iface, path, report)
      }
    }
  }
}

function checkHostInterface(iface: Loose<HostInterfaceInput>, path: Path, report: Reporter): Prefix[] {
  const prefixes: Prefix[] = []
  const given = each(iface.address, [...path, 'address'])
  for (const [address, at] of given) {
    if (address === 'dhcp' || address === 'none') {
      if (given.length > 1) report.value(at, `an address: "${address}" stands alone`)
      continue
    }
    const prefix = interfaceAddress(address, at, report)
    if (prefix !== undefined) prefixes.push(prefix)
  }
  const gateway = parseAddress(iface.gateway)
  if (gateway === undefined) return prefixes
  const at = [...path, 'gateway']
  if (iface.address === 'dhcp') report.value(at, 'no gateway beside "dhcp", which brings one')
  else if (iface.address === 'none') report.value(at, 'no gateway on an interface without an address')
  else if (prefixes.some((p) => p.address === gateway)) {
    report.value(at, 'the address of another machine, not its own')
  } else if (prefixes.length > 0 && !prefixes.some((p) => contains(p, gateway))) {
    report.value(at, `an address inside ${listSubnets(prefixes)}, the subnet of the interface`)
  }
  return prefixes
}

function checkHost(name: string, host: Loose<HostInput>, report: Reporter): void {
  const path = ['hosts', name]
  const prefixes: Prefix[] = []
  let complete = true
  const destinations = new Unique<string>()
  for (const [i, iface] of entries(host.interfaces)) {
    const at = [...path, 'interfaces', i]
    prefixes.push(...checkHostInterface(iface, at, report))
    if (iface.address === undefined || iface.address === 'dhcp') complete = false
    if (iface.gateway === undefined) continue
    const earlier = destinations.claim('0.0.0.0/0', [...at, 'gateway'])
    if (earlier !== undefined) {
      report.value([...at, 'gateway'], `one default gateway for a host (${earlier} is one already)`)
    }
  }
  for (const [i, address] of items(host.addresses)) {
    interfaceAddress(address, [...path, 'addresses', i], report)
  }
  for (const [i, route] of items(host.routes)) {
    const at = [...path, 'routes', i]
    checkDestination(route, at, destinations, report)
    const via = parseAddress(route.via)
    if (via !== undefined && complete && !prefixes.some((p) => contains(p, via))) {
      const where = prefixes.length === 0 ? ' (it has no address)' : `: ${listSubnets(prefixes)}`
      report.value([...at, 'via'], `an address on a subnet of the host${where}`)
    }
  }
}

/** A route's destination must be a subnet, and no other route's (of the same metric). */
export function checkDestination(
  route: { readonly to?: string | undefined; readonly metric?: number | undefined },
  path: Path,
  destinations: Unique<string>,
  report: Reporter,
): void {
  const at = [...path, 'to']
  const to = checkSubnet(route.to === 'default' ? '0.0.0.0/0' : route.to, at, report)
  if (to === undefined) return
  const metric = route.metric ?? 0
  const earlier = destinations.claim(formatPrefix(to) + (metric === 0 ? '' : ` metric ${metric}`), path)
  if (earlier !== undefined) {
    report.value(at, `a destination that no other route has with the same metric (${earlier} does)`)
  }
}

export function checkHosts(config: LooseConfig, report: Reporter): void {
  for (const [name, host] of entries(config.hosts)) checkHost(name, host, report)
}

/** The subnets of a router's interfaces must be disjoint; answers the addresses of each. */
export function checkRouterSubnets(
  interfaces: NonNullable<NonNullable<LooseConfig['routers']>[string]>['interfaces'],
  path: Path,
  report: Reporter,
): Map<string, Prefix[]> {
  const found = new Map<string, Prefix[]>()
  const earlier: { prefix: Prefix; iface: string; path: Path }[] = []
  for (const [name, iface] of entries(interfaces)) {
    const own: Prefix[] = []
    for (const [text, at] of each(iface.address, [...path, name, 'address'])) {
      const prefix = interfaceAddress(text, at, report)
      if (prefix === undefined) continue
      own.push(prefix)
      const other = earlier.find((e) => e.iface !== name && overlap(e.prefix, prefix))
      if (other !== undefined) {
        const subnet = formatPrefix(subnetOf(other.prefix))
        report.value(at, `a subnet that does not overlap ${subnet} of ${formatPath(other.path)}`)
      }
      earlier.push({ prefix, iface: name, path: at })
    }
    found.set(name, own)
  }
  return found
}
