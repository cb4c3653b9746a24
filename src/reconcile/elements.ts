import type { PortSpec } from '../../engine/dpif.ts'
import { contains, formatIpv4, formatPrefix, type Prefix } from '../../protocols/wire/ipv4.ts'
import type { Bridge, Host, HostInterface, HostRoute, Network, Port, Router } from '../config/network.ts'
import type { Element } from './element.ts'
import {
  bridgeSpec,
  hostPortSpec,
  internalPortSpec,
  openflowSpec,
  portSpec,
  routerPortSpec,
  routerSpec,
} from './specs.ts'

const DEFAULT: Prefix = { address: 0, prefixLength: 0 }

/**
 * The elements of a network in an order in which they can be made: what carries comes before what is carried.
 * Keys are unique.
 */
export function elementsOf(network: Network): Element[] {
  const elements = [
    ...network.bridges.map((bridge) => bridgeElement(bridge, network)),
    ...network.hosts.map(namespaceElement),
    ...network.routers.map(routerElement),
    ...network.bridges.flatMap(bridgePorts),
    ...network.routers.flatMap(routerPorts),
    ...network.hosts.flatMap((host) => host.interfaces.map((iface) => hostInterfaceElement(host, iface))),
    ...network.bridges.flatMap(uplinks),
    ...network.bridges.flatMap(machineAddresses),
    ...network.hosts.flatMap(hostAddressing),
    ...network.routers.flatMap(dhcpServers),
    ...network.hosts.flatMap(dhcpClients),
    // Last, so that on the way down the last records still find their collectors.
    ...network.bridges.flatMap(ipfix),
  ]
  return [...new Map(elements.map((element) => [element.key, element])).values()]
}

function bridgeElement(bridge: Bridge, network: Network): Element {
  return {
    kind: 'bridge',
    key: `bridge/${bridge.name}`,
    title: `bridge ${bridge.name}`,
    needs: [],
    spec: bridgeSpec(bridge),
    openflow: openflowSpec(bridge, network),
  }
}

function namespaceElement(host: Host): Element {
  return {
    kind: 'namespace',
    key: `namespace/${host.name}`,
    title: `host ${host.name}`,
    needs: [],
    name: host.name,
    loopback: host.loopback,
  }
}

function routerElement(router: Router): Element {
  return {
    kind: 'router',
    key: `router/${router.name}`,
    title: `router ${router.name}`,
    needs: [],
    spec: routerSpec(router),
  }
}

function bridgePorts(bridge: Bridge): Element[] {
  const ports = bridge.ports.map((port) => bridgePort(bridge, port))
  const { name, mac, internal } = bridge
  if (internal === undefined) return ports
  return [machineInterface(internalPortSpec(bridge, internal), name, mac, internal.mtu), ...ports]
}

function bridgePort(bridge: Bridge, port: Port): Element {
  const spec = portSpec(bridge.name, port)
  if (port.type === 'tap' || port.type === 'internal') {
    return machineInterface(spec, port.device, port.mac, port.mtu)
  }
  const what = describe(port)
  const identity = port.type === 'system' ? `/${port.device}` : ''
  return {
    kind: 'port',
    key: `port/${port.name}/${port.type}${identity}`,
    title: `port ${port.name} on ${bridge.name} (${what})`,
    needs: [],
    spec,
    ...(port.type === 'system' && port.mtu !== undefined ? { mtu: port.mtu } : {}),
  }
}

function describe(port: Exclude<Port, { type: 'tap' | 'internal' }>): string {
  switch (port.type) {
    case 'system':
      return `interface ${port.device}`
    case 'patch':
      return `patch to ${port.peer}`
    case 'dummy':
      return 'in memory'
  }
}

/** A TAP that stays in the machine's own namespace. */
function machineInterface(spec: PortSpec, device: string, mac: number, mtu: number): Element {
  return {
    kind: 'interface',
    key: interfaceKey(spec, undefined, device),
    title: `interface ${device} on ${spec.bridge}`,
    needs: [],
    spec,
    namespace: undefined,
    device,
    mac,
    mtu,
  }
}

function routerPorts(router: Router): Element[] {
  return router.interfaces.map((iface) => ({
    kind: 'port',
    key: `port/${iface.port}/router`,
    title: `${router.name} ${iface.name} on ${iface.bridge}, ${iface.addresses.map(formatPrefix).join(', ')}`,
    needs: [],
    spec: routerPortSpec(router, iface),
  }))
}

function hostInterfaceElement(host: Host, iface: HostInterface): Element {
  return {
    kind: 'interface',
    key: interfaceKey(hostPortSpec(iface), host.name, iface.name),
    title: `${host.name} ${iface.name} on ${iface.bridge}`,
    needs: [`namespace/${host.name}`],
    spec: hostPortSpec(iface),
    namespace: host.name,
    device: iface.name,
    mac: iface.mac,
    mtu: iface.mtu,
  }
}

/**
 * A TAP that changes to another bridge is another interface: the dataplane makes it anew, and what stood on
 * it in the kernel has to be put there again.
 */
function interfaceKey(spec: PortSpec, namespace: string | undefined, device: string): string {
  return `interface/${spec.name}/${spec.bridge}/${namespace ?? ''}/${device}`
}

function uplinks(bridge: Bridge): Element[] {
  const { internal } = bridge
  if (internal === undefined) return []
  const claims = internal.address === undefined ? [] : [internal.address]
  const system = bridge.ports
    .filter((port) => port.type === 'system')
    .filter((port) => port.moveAddress || claims.length > 0)
  return system.map((port) => ({
    kind: 'uplink',
    key: `uplink/${port.device}`,
    title: `addresses of ${port.device} on ${bridge.name}`,
    needs: [
      interfaceKey(internalPortSpec(bridge, internal), undefined, bridge.name),
      `port/${port.name}/system/${port.device}`,
    ],
    device: port.device,
    internal: bridge.name,
    all: port.moveAddress,
    claims,
  }))
}

function machineAddresses(bridge: Bridge): Element[] {
  const addresses: Element[] = []
  const { name, internal } = bridge
  if (internal?.address !== undefined) {
    addresses.push(
      addressElement(
        undefined,
        name,
        internal.address,
        interfaceKey(internalPortSpec(bridge, internal), undefined, name),
      ),
    )
  }
  for (const port of bridge.ports) {
    if (port.type !== 'internal' || port.address === undefined) continue
    const carrier = interfaceKey(portSpec(name, port), undefined, port.device)
    addresses.push(addressElement(undefined, port.device, port.address, carrier))
  }
  return addresses
}

function addressElement(
  namespace: string | undefined,
  device: string,
  address: Prefix,
  carrier: string,
): Element {
  return {
    kind: 'address',
    key: addressKey(namespace, device, address),
    title: `address ${formatPrefix(address)} of ${namespace === undefined ? '' : `${namespace} `}${device}`,
    needs: [carrier],
    namespace,
    device,
    address,
  }
}

function addressKey(namespace: string | undefined, device: string, address: Prefix): string {
  return `address/${namespace ?? ''}/${device}/${formatPrefix(address)}`
}

function hostAddressing(host: Host): Element[] {
  const onLoopback = host.addresses.map((address) =>
    addressElement(host.name, 'lo', address, `namespace/${host.name}`),
  )
  const onInterfaces = host.interfaces.flatMap((iface) =>
    iface.addresses.map((address) =>
      addressElement(
        host.name,
        iface.name,
        address,
        interfaceKey(hostPortSpec(iface), host.name, iface.name),
      ),
    ),
  )
  const routes = hostRoutes(host).filter((route) => !afterLease(host, route))
  const resolver: Element[] = []
  if (host.dns.length > 0) {
    resolver.push({
      kind: 'resolver',
      key: `resolver/${host.name}`,
      title: `name servers of ${host.name}`,
      needs: [`namespace/${host.name}`],
      namespace: host.name,
      servers: host.dns,
    })
  }
  return [...onLoopback, ...onInterfaces, ...routes.map((route) => routeElement(host, route)), ...resolver]
}

function hostRoutes(host: Host): HostRoute[] {
  const gateways = host.interfaces.flatMap((iface) =>
    iface.gateway === undefined ? [] : [{ to: DEFAULT, via: iface.gateway }],
  )
  return [...gateways, ...host.routes]
}

/** Addresses of the host on whose subnet the next hop is. */
function carriers(host: Host, route: HostRoute): string[] {
  return host.interfaces.flatMap((iface) =>
    iface.addresses
      .filter((address) => contains(address, route.via))
      .map((address) => addressKey(host.name, iface.name, address)),
  )
}

function afterLease(host: Host, route: HostRoute): boolean {
  return carriers(host, route).length === 0 && host.interfaces.some((iface) => iface.addressing === 'dhcp')
}

function routeElement(host: Host, route: HostRoute): Element {
  const to = route.to.prefixLength === 0 ? 'default' : formatPrefix(route.to)
  return {
    kind: 'route',
    key: `route/${host.name}/${formatPrefix(route.to)}`,
    title: `route ${to} of ${host.name} by ${formatIpv4(route.via)}`,
    needs: [`namespace/${host.name}`, ...carriers(host, route)],
    namespace: host.name,
    to: route.to,
    via: route.via,
  }
}

function dhcpServers(router: Router): Element[] {
  return router.interfaces.flatMap((iface): Element[] => {
    if (iface.dhcp === undefined) return []
    return [
      {
        kind: 'dhcp-server',
        key: `dhcp-server/${router.name}/${iface.name}`,
        title: `DHCP server on ${router.name} ${iface.name}`,
        needs: [`port/${iface.port}/router`],
        server: {
          router: router.name,
          interface: iface.name,
          mac: iface.mac,
          config: iface.dhcp,
        },
      },
    ]
  })
}

function dhcpClients(host: Host): Element[] {
  const clients = host.interfaces.filter((iface) => iface.addressing === 'dhcp')
  return clients.map((iface, index) => ({
    kind: 'dhcp-client',
    key: `dhcp-client/${host.name}/${iface.name}`,
    title: `DHCP client on ${host.name} ${iface.name}`,
    needs: [interfaceKey(hostPortSpec(iface), host.name, iface.name)],
    client: {
      host: host.name,
      interface: iface.name,
      mac: iface.mac,
      routes: index > 0 ? [] : hostRoutes(host).filter((route) => afterLease(host, route)),
      resolver: host.dns.length === 0,
    },
  }))
}

function ipfix({ name, ipfix }: Bridge): Element[] {
  if (ipfix === undefined) return []
  return [
    {
      kind: 'ipfix',
      key: `ipfix/${name}`,
      title: `IPFIX of ${name}`,
      needs: [`bridge/${name}`],
      spec: { ...ipfix, bridge: name },
    },
  ]
}
