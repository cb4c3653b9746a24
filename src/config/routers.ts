import { DhcpSchema } from './dhcp.ts'
import {
  choice,
  cidrs,
  flag,
  IFNAME_PATTERN,
  ifname,
  integer,
  ipv4,
  list,
  mac,
  mtu,
  NODE_PATTERN,
  named,
  record,
  routeTarget,
} from './fields.ts'
import { NatRuleSchema } from './nat.ts'
import { vlanShape } from './vlan.ts'
import type { z } from './zod.ts'

const InterfaceSchema = record(
  () => ({
    bridge: ifname(
      { description: 'Name of the bridge it is plugged into.', examples: ['br-in'] },
      'the name of a bridge',
    ),
    address: cidrs({
      description: 'Address with prefix length, or a list of several.',
      examples: ['10.0.0.254/24', ['192.168.100.11/24', '192.168.100.12/24']],
    }),
    mac: mac({
      description: 'MAC address; derived from the names of router and interface when absent.',
    }).optional(),
    mtu: mtu.optional(),
    dhcp: DhcpSchema.optional(),
    ...vlanShape(),
  }),
  {
    description: 'An interface of the router, plugged into a bridge.',
    examples: [{ bridge: 'br-in', address: '10.0.0.254/24' }],
  },
)

const RouteSchema = record(
  () => ({
    to: routeTarget({ description: 'Destination.', examples: ['0.0.0.0/0', '10.1.0.0/16'] }),
    via: ipv4({ description: 'Next hop, on the subnet of an interface.', examples: ['192.168.100.1'] }),
    metric: integer(0, 4294967295, 'a metric', {
      description: 'Of several routes to one destination the lowest metric is used.',
      default: 0,
    }).optional(),
  }),
  { description: 'A route.', examples: [{ to: '0.0.0.0/0', via: '192.168.100.1' }] },
)

const seconds = (description: string, value: number) =>
  integer(1, 31_536_000, 'a number of seconds', { description, default: value })

const RouterSchema = record(
  () => ({
    interfaces: named(InterfaceSchema, {
      description: 'Interfaces by name.',
      names: IFNAME_PATTERN,
    }).optional(),
    routes: list(RouteSchema, 'routes', {
      description: 'Routes besides those to the subnets of the interfaces.',
      examples: [[{ to: '0.0.0.0/0', via: '192.168.100.1' }]],
    }).optional(),
    nat: list(NatRuleSchema, 'NAT rules', {
      description: 'NAT rules; of each direction the first that matches is used.',
      examples: [[{ type: 'snat', source: '10.0.0.0/24', to: '192.168.100.11' }]],
    }).optional(),
    helpers: list(choice(['ftp', 'tftp'], { description: 'A protocol.' }), 'protocols, of "ftp" and "tftp"', {
      description:
        'Protocols whose messages NAT reads and rewrites, so that the connections they announce pass: "ftp" to port 21 (active and passive) and "tftp" to port 69. All of them when absent; [] for none.',
      examples: [['ftp']],
    }).optional(),
    icmp: record(
      () => ({
        redirects: flag({ description: 'Whether ICMP redirects are sent.', default: false }).optional(),
        errorRate: integer(0, 1_000_000, 'a number of messages a second', {
          description: 'ICMP errors sent at the most, per second.',
          default: 1000,
        }).optional(),
      }),
      { description: 'ICMP errors.' },
    ).optional(),
    connections: record(
      () => ({
        max: integer(16, 4_194_304, 'a number of connections', {
          description: 'Connections tracked at the most; when it is reached, new ones are refused.',
          default: 65536,
        }).optional(),
        tcpEstablished: seconds(
          'Seconds an idle established TCP connection is kept (RFC 5382).',
          7440,
        ).optional(),
        tcpTransitory: seconds('Seconds a TCP connection that opens or closes is kept.', 240).optional(),
        udp: seconds('Seconds an idle UDP mapping is kept (RFC 4787).', 300).optional(),
        icmp: seconds('Seconds an ICMP query is waited for (RFC 5508).', 60).optional(),
      }),
      { description: 'Connection tracking.' },
    ).optional(),
  }),
  { description: 'A router between bridges.' },
)

export const RoutersSchema = named(RouterSchema, { description: 'Routers by name.', names: NODE_PATTERN })

export type RouterInput = z.input<typeof RouterSchema>
export type RouterInterfaceInput = z.input<typeof InterfaceSchema>
