import { PREFIX_PATTERN } from './address.ts'
import {
  cidr,
  flag,
  IFNAME_PATTERN,
  ifname,
  ipv4,
  list,
  mac,
  mtu,
  NODE_PATTERN,
  named,
  oneOrMany,
  record,
  routeTarget,
  text,
} from './fields.ts'
import { qosShape } from './qos.ts'
import { vlanShape } from './vlan.ts'
import type { z } from './zod.ts'

const InterfaceSchema = record(
  () => ({
    bridge: ifname(
      { description: 'Name of the bridge it is plugged into.', examples: ['br-in'] },
      'the name of a bridge',
    ),
    address: oneOrMany(
      text(
        `dhcp|none|${PREFIX_PATTERN}`,
        'an IPv4 address with its prefix length such as "10.0.0.1/24", "dhcp" or "none"',
        { description: 'Address with prefix length, "dhcp" or "none".' },
      ),
      'an IPv4 address with its prefix length such as "10.0.0.1/24", "dhcp" or "none"',
      {
        description:
          'Address of the interface, or a list of several; "dhcp" to get and keep one from a DHCP server, "none" for no address.',
        examples: ['10.0.0.1/24', 'dhcp', ['192.168.100.1/24', '192.168.100.2/24']],
        default: 'none',
      },
    ).optional(),
    gateway: ipv4({ description: 'Default gateway.', examples: ['10.0.0.254'] }).optional(),
    mac: mac({
      description: 'MAC address; derived from the names of host and interface when absent.',
      examples: ['02:00:00:00:00:01'],
    }).optional(),
    mtu: mtu.optional(),
    ...vlanShape(),
    ...qosShape(),
  }),
  {
    description: 'A network interface of the host: a TAP device in its namespace, plugged into a bridge.',
    examples: [{ bridge: 'br-in', address: '10.0.0.1/24', gateway: '10.0.0.254' }],
  },
)

const RouteSchema = record(
  () => ({
    to: routeTarget({ description: 'Destination.', examples: ['10.0.0.0/24', 'default'] }),
    via: ipv4({ description: 'Next hop.', examples: ['192.168.100.11'] }),
  }),
  { description: 'A route of the host.' },
)

const HostSchema = record(
  () => ({
    interfaces: named(InterfaceSchema, {
      description: 'Interfaces by name.',
      names: IFNAME_PATTERN,
    }).optional(),
    addresses: list(cidr({ description: 'An address.' }), 'addresses such as "203.0.113.1/32"', {
      description: 'Further addresses of the host itself, on its loopback interface.',
      examples: [['203.0.113.1/32']],
    }).optional(),
    routes: list(RouteSchema, 'routes', {
      description: 'Routes besides those of its interfaces and gateways.',
      examples: [[{ to: '10.0.0.0/24', via: '192.168.100.11' }]],
    }).optional(),
    dns: list(ipv4({ description: 'A name server.' }), 'IPv4 addresses', {
      description: 'Name servers, for the /etc/resolv.conf that programs in the namespace see.',
      examples: [['10.0.0.254']],
    }).optional(),
    loopback: flag({ description: 'Whether the loopback interface is up.', default: true }).optional(),
  }),
  { description: 'A host: a network namespace of the same name.' },
)

export const HostsSchema = named(HostSchema, { description: 'Hosts by name.', names: NODE_PATTERN })

export type HostInput = z.input<typeof HostSchema>
export type HostInterfaceInput = z.input<typeof InterfaceSchema>
