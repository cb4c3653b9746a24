import { resolve } from 'node:path'
import { parseMac } from '../../protocols/wire/ethernet.ts'
import { parseAddress, parsePrefix, subnetOf } from './address.ts'
import type { BridgeInput, PortInput } from './bridges.ts'
import { datapathIdOf } from './datapath-id.ts'
import {
  AGING_TIME,
  HELPERS,
  ICMP_ERROR_RATE,
  MAC_TABLE_SIZE,
  MAX_CONNECTIONS,
  MTU,
  TIMEOUTS,
} from './defaults.ts'
import { dhcpServerConfig } from './dhcp-server.ts'
import type { HostInput } from './hosts.ts'
import { ipfix } from './ipfix.ts'
import { MacDerivation } from './mac-derivation.ts'
import { natRule } from './nat-rules.ts'
import { attachmentPort, type Bridge, type Host, type Network, type Port, type Router } from './network.ts'
import { openflow } from './openflow.ts'
import { qosSettings } from './qos.ts'
import type { RouterInput } from './routers.ts'
import type { ConfigInput } from './schema.ts'
import { vlanSettings } from './vlan-settings.ts'

/** UDP port of DHCP servers. */
const DHCP_SERVICE = 67

function* givenMacs(config: ConfigInput): Generator<number> {
  const elements = [
    ...Object.values(config.bridges ?? {}).flatMap((b) => [b, ...Object.values(b.ports ?? {})]),
    ...[...Object.values(config.hosts ?? {}), ...Object.values(config.routers ?? {})].flatMap((owner) =>
      Object.values(owner.interfaces ?? {}),
    ),
  ]
  for (const { mac } of elements) if (mac !== undefined) yield parseMac(mac)!
}

function port(name: string, input: PortInput, macs: MacDerivation): Port {
  const common = {
    name,
    vlan: vlanSettings(input),
    ...qosSettings(input),
    ...(input.ofport === undefined ? {} : { ofport: input.ofport }),
  }
  const device = input.device ?? name
  const type = input.type ?? 'tap'
  if (type === 'patch') return { ...common, type, peer: input.peer! }
  if (type === 'system') {
    const given = input.mtu === undefined ? {} : { mtu: input.mtu }
    return { ...common, type, device, moveAddress: input.moveAddress ?? false, ...given }
  }
  const mac = input.mac === undefined ? macs.derive('port', name) : parseMac(input.mac)!
  const mtu = input.mtu ?? MTU
  if (type === 'dummy') return { ...common, type, mac }
  if (type === 'tap') return { ...common, type, device, mac, mtu }
  return { ...common, type, device, mac, mtu, address: parsePrefix(input.address) }
}

function bridge(name: string, input: BridgeInput, macs: MacDerivation): Bridge {
  const ports = Object.entries(input.ports ?? {}).map(([n, p]) => port(n, p, macs))
  const mac = input.mac === undefined ? macs.derive('bridge', name) : parseMac(input.mac)!
  const moved = ports.some((p) => p.type === 'system' && p.moveAddress)
  const address = parsePrefix(input.address)
  return {
    name,
    datapathId: input.datapathId?.toLowerCase() ?? datapathIdOf(mac),
    internal:
      address === undefined && !moved && input.internal !== true
        ? undefined
        : { address, mtu: input.mtu ?? MTU, vlan: vlanSettings(input), ...qosSettings(input) },
    mac,
    macTableSize: input.macTableSize ?? MAC_TABLE_SIZE,
    agingTime: input.agingTime ?? AGING_TIME,
    forwardBpdu: input.forwardBpdu ?? false,
    openflow: openflow(input),
    ipfix: ipfix(input),
    ports,
  }
}

function destination(to: string) {
  return to === 'default' ? { address: 0, prefixLength: 0 } : subnetOf(parsePrefix(to)!)
}

function host(name: string, input: HostInput, macs: MacDerivation): Host {
  return {
    name,
    loopback: input.loopback ?? true,
    addresses: (input.addresses ?? []).map((a) => parsePrefix(a)!),
    interfaces: Object.entries(input.interfaces ?? {}).map(([iface, i]) => {
      const addresses = [i.address ?? 'none'].flat()
      const word = addresses.find((a) => a === 'dhcp' || a === 'none') as 'dhcp' | 'none' | undefined
      return {
        name: iface,
        bridge: i.bridge,
        port: attachmentPort(name, iface),
        vlan: vlanSettings(i),
        ...qosSettings(i),
        mac: i.mac === undefined ? macs.derive('host', name, iface) : parseMac(i.mac)!,
        mtu: i.mtu ?? MTU,
        addressing: word ?? 'static',
        addresses: word === undefined ? addresses.map((a) => parsePrefix(a)!) : [],
        gateway: parseAddress(i.gateway),
      }
    }),
    routes: (input.routes ?? []).map((r) => ({ to: destination(r.to), via: parseAddress(r.via)! })),
    dns: (input.dns ?? []).map((a) => parseAddress(a)!),
  }
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000
}

function router(name: string, input: RouterInput, macs: MacDerivation): Router {
  const connections = input.connections ?? {}
  return {
    name,
    interfaces: Object.entries(input.interfaces ?? {}).map(([iface, i]) => {
      const addresses = [i.address].flat().map((a) => parsePrefix(a)!)
      return {
        name: iface,
        bridge: i.bridge,
        port: attachmentPort(name, iface),
        vlan: vlanSettings(i),
        mac: i.mac === undefined ? macs.derive('router', name, iface) : parseMac(i.mac)!,
        mtu: i.mtu ?? MTU,
        addresses,
        services: i.dhcp === undefined ? [] : [DHCP_SERVICE],
        dhcp: i.dhcp === undefined ? undefined : dhcpServerConfig(i.dhcp, addresses),
      }
    }),
    routes: (input.routes ?? []).map((r) => {
      const to = destination(r.to)
      return {
        prefix: to.address,
        prefixLength: to.prefixLength,
        via: parseAddress(r.via)!,
        metric: r.metric ?? 0,
      }
    }),
    nat: (input.nat ?? []).map(natRule),
    redirects: input.icmp?.redirects ?? false,
    icmpErrorRate: input.icmp?.errorRate ?? ICMP_ERROR_RATE,
    maxConnections: connections.max ?? MAX_CONNECTIONS,
    helpers: input.helpers ?? HELPERS,
    timeouts: {
      tcpEstablished: milliseconds(connections.tcpEstablished) ?? TIMEOUTS.tcpEstablished,
      tcpTransitory: milliseconds(connections.tcpTransitory) ?? TIMEOUTS.tcpTransitory,
      udp: milliseconds(connections.udp) ?? TIMEOUTS.udp,
      icmp: milliseconds(connections.icmp) ?? TIMEOUTS.icmp,
    },
  }
}

/**
 * The network that a configuration without errors describes.
 * @param directory that relative paths start from
 */
export function normalize(config: ConfigInput, directory: string): Network {
  const macs = new MacDerivation(givenMacs(config))
  return {
    bridges: Object.entries(config.bridges ?? {}).map(([name, b]) => bridge(name, b, macs)),
    hosts: Object.entries(config.hosts ?? {}).map(([name, h]) => host(name, h, macs)),
    routers: Object.entries(config.routers ?? {}).map(([name, r]) => router(name, r, macs)),
    ...(config.ssl === undefined
      ? {}
      : {
          ssl: {
            privateKey: resolve(directory, config.ssl.privateKey),
            certificate: resolve(directory, config.ssl.certificate),
            caCert: resolve(directory, config.ssl.caCert),
            ...(config.ssl.bootstrapCaCert === true ? { bootstrapCaCert: true } : {}),
          },
        }),
  }
}
