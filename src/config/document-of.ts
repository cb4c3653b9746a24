/**
 * The configuration that describes a network: what `normalize` makes that network of. What holds anyway is left out,
 * so that it reads as a person would have written it.
 */

import { formatMac } from '../../protocols/wire/ethernet.ts'
import { formatIpv4, formatPrefix, type Prefix } from '../../protocols/wire/ipv4.ts'
import { DEFAULT_DSCP } from '../net/dscp.ts'
import type { BridgeInput, PortInput } from './bridges.ts'
import { datapathIdOf } from './datapath-id.ts'
import {
  AGING_TIME,
  HELPERS,
  ICMP_ERROR_RATE,
  INACTIVITY_PROBE,
  MAC_TABLE_SIZE,
  MAX_BACKOFF,
  MAX_CONNECTIONS,
  MTU,
  TIMEOUTS,
} from './defaults.ts'
import { dhcpDocument } from './dhcp-document.ts'
import { given } from './given.ts'
import type { HostInput, HostInterfaceInput } from './hosts.ts'
import { ipfixDocument } from './ipfix-document.ts'
import { deriveMac } from './mac-derivation.ts'
import { natDocument } from './nat-document.ts'
import type {
  Bridge,
  ControllerTarget,
  FlowTableSettings,
  Host,
  HostInterface,
  Network,
  Port,
  Router,
  RouterInterface,
} from './network.ts'
import { PROTOCOLS, protocolsOf } from './protocols.ts'
import type { RouterInput, RouterInterfaceInput } from './routers.ts'
import type { ConfigInput } from './schema.ts'
import { qosDocument, vlanDocument } from './settings-document.ts'
import { unless } from './unless.ts'

export function documentOf(network: Network): ConfigInput {
  const { bridges, hosts, routers, ssl } = network
  return {
    bridges: byName(bridges, bridgeDocument),
    ...(hosts.length === 0 ? {} : { hosts: byName(hosts, hostDocument) }),
    ...(routers.length === 0 ? {} : { routers: byName(routers, routerDocument) }),
    ...(ssl === undefined ? {} : { ssl }),
  }
}

function byName<T extends { readonly name: string }, Input>(
  things: readonly T[],
  document: (thing: T) => Input,
): Record<string, Input> {
  return Object.fromEntries(things.map((thing) => [thing.name, document(thing)]))
}

function nonEmpty<T>(list: readonly T[]): T[] | undefined {
  return list.length === 0 ? undefined : [...list]
}

function macUnlessDerived(mac: number, ...names: readonly string[]): string | undefined {
  return mac === deriveMac(...names) ? undefined : formatMac(mac)
}

/** One by itself, several as a list. */
function prefixes(list: readonly Prefix[]): string | string[] {
  const texts = list.map(formatPrefix)
  return texts.length === 1 ? texts[0]! : texts
}

function bridgeDocument(bridge: Bridge): BridgeInput {
  const { name, internal, mac, openflow, ports } = bridge
  const moved = ports.some((port) => port.type === 'system' && port.moveAddress)
  const protocols = protocolsOf(openflow.versions)
  return given({
    address: internal?.address && formatPrefix(internal.address),
    internal: internal !== undefined && internal.address === undefined && !moved ? true : undefined,
    mac: macUnlessDerived(mac, 'bridge', name),
    mtu: internal && unless(MTU, internal.mtu),
    datapathId: unless(datapathIdOf(mac), bridge.datapathId),
    agingTime: unless(AGING_TIME, bridge.agingTime),
    macTableSize: unless(MAC_TABLE_SIZE, bridge.macTableSize),
    forwardBpdu: unless(false, bridge.forwardBpdu),
    controllers: nonEmpty(openflow.controllers.map(controllerDocument)),
    failMode: unless('standalone' as const, openflow.failMode),
    protocols: protocols.length === PROTOCOLS.length ? undefined : protocols,
    flowTables: flowTablesDocument(openflow.flowTables),
    ...ipfixDocument(bridge.ipfix),
    ...(internal === undefined ? {} : { ...vlanDocument(internal.vlan), ...qosDocument(internal) }),
    ports: ports.length === 0 ? undefined : byName(ports, portDocument),
  }) as BridgeInput
}

function flowTablesDocument(tables: readonly FlowTableSettings[]) {
  if (tables.length === 0) return undefined
  return Object.fromEntries(
    tables.map(({ table, name, flowLimit, evicts, groups }) => [
      table,
      given({
        name: unless('', name),
        flowLimit,
        overflowPolicy: evicts ? 'evict' : undefined,
        evictionGroups: groups.length === 0 ? undefined : groups,
      }),
    ]),
  )
}

function controllerDocument(controller: ControllerTarget) {
  const { target, maxBackoff, inactivityProbe, rateLimit, burstLimit, dscp } = controller
  const settings = given({
    maxBackoff: unless(MAX_BACKOFF, maxBackoff),
    inactivityProbe: unless(INACTIVITY_PROBE, inactivityProbe),
    rateLimit: unless(0, rateLimit),
    burstLimit: unless(0, burstLimit),
    dscp: unless(DEFAULT_DSCP, dscp),
  })
  return Object.keys(settings).length === 0 ? target : { target, ...settings }
}

function portDocument(port: Port): PortInput {
  const { name, type } = port
  const device = 'device' in port ? unless(name, port.device) : undefined
  const mac = 'mac' in port ? macUnlessDerived(port.mac, 'port', name) : undefined
  return given({
    type: unless('tap', type),
    device,
    peer: type === 'patch' ? port.peer : undefined,
    address: type === 'internal' && port.address !== undefined ? formatPrefix(port.address) : undefined,
    moveAddress: type === 'system' ? unless(false, port.moveAddress) : undefined,
    mac,
    mtu: type === 'system' ? port.mtu : 'mtu' in port ? unless(MTU, port.mtu) : undefined,
    ofport: port.ofport,
    ...vlanDocument(port.vlan),
    ...qosDocument(port),
  }) as PortInput
}

function hostDocument(host: Host): HostInput {
  return given({
    loopback: unless(true, host.loopback),
    interfaces: byName(host.interfaces, (iface) => hostInterfaceDocument(host.name, iface)),
    addresses: nonEmpty(host.addresses.map(formatPrefix)),
    routes: nonEmpty(host.routes.map(({ to, via }) => ({ to: formatPrefix(to), via: formatIpv4(via) }))),
    dns: nonEmpty(host.dns.map(formatIpv4)),
  }) as HostInput
}

function hostInterfaceDocument(host: string, iface: HostInterface): HostInterfaceInput {
  const { addressing, addresses, gateway } = iface
  return given({
    bridge: iface.bridge,
    address: addressing === 'dhcp' ? 'dhcp' : addresses.length === 0 ? undefined : prefixes(addresses),
    gateway: gateway === undefined ? undefined : formatIpv4(gateway),
    mac: macUnlessDerived(iface.mac, 'host', host, iface.name),
    mtu: unless(MTU, iface.mtu),
    ...vlanDocument(iface.vlan),
    ...qosDocument(iface),
  }) as HostInterfaceInput
}

function routerDocument(router: Router): RouterInput {
  const { timeouts } = router
  const icmp = given({
    redirects: unless(false, router.redirects),
    errorRate: unless(ICMP_ERROR_RATE, router.icmpErrorRate),
  })
  const seconds = (usual: number, span: number) => (span === usual ? undefined : Math.ceil(span / 1000))
  const connections = given({
    max: unless(MAX_CONNECTIONS, router.maxConnections),
    tcpEstablished: seconds(TIMEOUTS.tcpEstablished, timeouts.tcpEstablished),
    tcpTransitory: seconds(TIMEOUTS.tcpTransitory, timeouts.tcpTransitory),
    udp: seconds(TIMEOUTS.udp, timeouts.udp),
    icmp: seconds(TIMEOUTS.icmp, timeouts.icmp),
  })
  const routes = router.routes.map(({ prefix, prefixLength, via, metric }) => ({
    to: formatPrefix({ address: prefix, prefixLength }),
    via: formatIpv4(via),
    ...given({ metric: unless(0, metric) }),
  }))
  return given({
    interfaces: byName(router.interfaces, (iface) => routerInterfaceDocument(router.name, iface)),
    routes: nonEmpty(routes),
    nat: nonEmpty(router.nat.map(natDocument)),
    helpers: router.helpers.length === HELPERS.length ? undefined : [...router.helpers],
    icmp: Object.keys(icmp).length === 0 ? undefined : icmp,
    connections: Object.keys(connections).length === 0 ? undefined : connections,
  }) as RouterInput
}

function routerInterfaceDocument(router: string, iface: RouterInterface): RouterInterfaceInput {
  return given({
    bridge: iface.bridge,
    address: prefixes(iface.addresses),
    mac: macUnlessDerived(iface.mac, 'router', router, iface.name),
    mtu: unless(MTU, iface.mtu),
    dhcp: iface.dhcp && dhcpDocument(iface.dhcp, iface.addresses),
    ...vlanDocument(iface.vlan),
  }) as RouterInterfaceInput
}
