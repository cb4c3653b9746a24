import fc from 'fast-check'
import { type NatRuleSpec, TRUNK_ALL, type VlanSettings } from '../../engine/dpif.ts'
import type { DhcpServerConfig, SubnetConfig } from '../../protocols/dhcp/config.ts'
import {
  attachmentPort,
  type Bridge,
  type Host,
  type HostInterface,
  type Network,
  type Port,
  type Router,
  type RouterInterface,
} from '../../src/config/network.ts'
import type { QosSettings } from '../../src/config/qos.ts'

/**
 * Valid networks from few names and addresses, so that two of them often have elements in common that are
 * equal, or differ in one respect, or have changed places.
 */
const BRIDGES = ['br-a', 'br-b', 'br-c']

const vlan: fc.Arbitrary<VlanSettings> = fc.constantFrom(
  TRUNK_ALL,
  { ...TRUNK_ALL, mode: 'access', tag: 10 },
  { ...TRUNK_ALL, mode: 'native-untagged', tag: 20, trunks: [20, 30] },
)
const mac = fc.integer({ min: 0x020000000001, max: 0x020000000003 })
const mtu = fc.constantFrom(1500, 9000)
const prefix = fc.record({
  address: fc.integer({ min: 0x0a000001, max: 0x0a000003 }),
  prefixLength: fc.constantFrom(24, 16),
})
const address = fc.option(prefix, { nil: undefined })

function port(name: string, bridge: string): fc.Arbitrary<Port> {
  return fc.oneof(
    fc.record({
      name: fc.constant(name),
      vlan,
      type: fc.constant('tap' as const),
      device: fc.constant(name),
      mac,
      mtu,
    }),
    fc.record({
      name: fc.constant(name),
      vlan,
      type: fc.constant('internal' as const),
      device: fc.constant(name),
      mac,
      mtu,
      address,
    }),
    fc.record(
      {
        name: fc.constant(name),
        vlan,
        type: fc.constant('system' as const),
        device: fc.constant(`eno-${name}`),
        moveAddress: fc.boolean(),
        mtu,
      },
      { requiredKeys: ['name', 'vlan', 'type', 'device', 'moveAddress'] },
    ),
    fc.record({
      name: fc.constant(name),
      vlan,
      type: fc.constant('patch' as const),
      peer: fc.constant(bridge),
    }),
  )
}

const SUBNET: SubnetConfig = {
  address: 0x0a000000,
  prefixLength: 24,
  ranges: [{ first: 0x0a000010, last: 0x0a000020 }],
  leaseTime: 3600,
  exclude: [0x0a000001],
  options: new Map([[3, Uint8Array.of(10, 0, 0, 254)]]),
  reservations: [],
}
const REMOTE_SUBNET: SubnetConfig = {
  address: 0x0a070000,
  prefixLength: 16,
  // Taken in this order.
  ranges: [
    { first: 0x0a070020, last: 0x0a070029 },
    { first: 0x0a070010, last: 0x0a070010 },
  ],
  leaseTime: 86_400,
  minLeaseTime: 60,
  maxLeaseTime: 90_000,
  nextServer: 0x0a000005,
  serverName: 'boot',
  bootFile: 'pxelinux.0',
  exclude: [],
  options: new Map(),
  reservations: [
    {
      clientId: Uint8Array.of(1, 2, 0, 0, 0, 0, 9),
      address: 0x0a070009,
      hostname: 'printer',
      leaseTime: 7200,
      options: new Map([[6, Uint8Array.of(10, 0, 0, 5)]]),
    },
    { mac: 0x020000000009 },
  ],
}

const NAT_RULES: NatRuleSpec[] = [
  {
    type: 'snat',
    source: { prefix: 0x0a000000, prefixLength: 24 },
    notDestination: { prefix: 0x0a000000, prefixLength: 24 },
    to: [
      { first: 0x0a000002, last: 0x0a000003 },
      { first: 0x0a000001, last: 0x0a000001 },
    ],
    ports: { first: 1024, last: 65_535 },
    filtering: 'endpoint-independent',
  },
  {
    type: 'masquerade',
    outInterface: 'eth1',
    protocol: 'udp',
    to: [],
    ports: { first: 4000, last: 4999 },
    filtering: 'address-and-port-dependent',
  },
  {
    type: 'dnat',
    protocol: 'tcp',
    address: 0x0a000001,
    ports: { first: 8000, last: 8010 },
    inInterface: 'eth0',
    to: 0x0a000009,
    toPort: 80,
  },
  { type: 'dnat', address: 0x0a000002, to: 0x0a000008 },
]

/** Of a port with a device. */
const qos = fc.constantFrom<QosSettings>(
  {},
  {
    qos: {
      type: 'linux-htb',
      maxRate: 10_000_000,
      queues: [
        { queue: 0, minRate: 1_000_000 },
        { queue: 5, maxRate: 5_000_000, burst: 9000, priority: 1 },
      ],
    },
    ingressPolicing: { rate: 2_000_000, burst: 8_000_000 },
  },
  { qos: { type: 'egress-policer', cir: 46_000, cbs: 64_000 }, ingressPolicing: { rate: 1000, burst: 5000 } },
)

function collectorSet(id: number) {
  return { id, targets: ['10.0.0.9:4739'], cacheActiveTimeout: 60, cacheMaxFlows: 100 }
}

function bridge(name: string, portNames: readonly string[]): fc.Arbitrary<Bridge> {
  return fc
    .record({
      internal: fc.option(
        fc.tuple(fc.record({ address, mtu, vlan }), qos).map(([own, more]) => ({ ...own, ...more })),
        { nil: undefined },
      ),
      mac,
      agingTime: fc.constantFrom(300, 10),
      openflow: fc.record({
        controllers: fc.constantFrom(
          [],
          [
            {
              target: 'tcp:10.0.0.9',
              maxBackoff: 8000,
              inactivityProbe: 5000,
              rateLimit: 0,
              burstLimit: 0,
              dscp: 46,
            },
          ],
        ),
        failMode: fc.constantFrom('standalone' as const, 'secure' as const),
        versions: fc.constantFrom(0x7e, 0x10),
        flowTables: fc.constantFrom(
          [],
          [{ table: 0, name: 'classify', flowLimit: undefined, evicts: false, groups: [] }],
          [
            {
              table: 0,
              name: '',
              flowLimit: 1000,
              evicts: true,
              groups: ['NXM_OF_ETH_SRC[0..23]', 'in_port'],
            },
            { table: 253, name: 'last', flowLimit: 0, evicts: false, groups: [] },
          ],
        ),
      }),
      ipfix: fc.constantFrom(
        undefined,
        { sets: [collectorSet(1)] },
        { sets: [collectorSet(1), collectorSet(2)] },
        {
          sets: [{ ...collectorSet(1), virtualObsId: 'tenant-7' }],
          all: {
            targets: ['10.0.0.9', '[fd00::9]:4740'],
            cacheActiveTimeout: 0,
            cacheMaxFlows: 0,
            sampling: 1,
            obsDomainId: 7,
            obsPointId: 0,
            input: true,
            output: false,
          },
        },
      ),
      ports: fc.tuple(...portNames.map((p) => port(p, name))),
    })
    .map((rest) => ({
      name,
      datapathId: '0000000000000001',
      macTableSize: 8192,
      forwardBpdu: false,
      ...rest,
      // Where addresses could not be moved to they are not.
      ports: rest.ports.map((p) =>
        p.type === 'system' && rest.internal === undefined ? { ...p, moveAddress: false } : p,
      ),
    }))
}

function hostInterface(host: string, name: string, bridges: readonly string[]): fc.Arbitrary<HostInterface> {
  return fc
    .record({
      bridge: fc.constantFrom(...bridges),
      vlan,
      mac,
      mtu,
      addressing: fc.constantFrom('static' as const, 'dhcp' as const, 'none' as const),
      addresses: fc.uniqueArray(prefix, { maxLength: 2, selector: (p) => `${p.address}/${p.prefixLength}` }),
      gateway: fc.constantFrom(undefined, 0x0a0000fe, 0x0a0000fd),
    })
    .map((rest) => ({
      name,
      port: attachmentPort(host, name),
      ...rest,
      addresses: rest.addressing === 'static' ? rest.addresses : [],
      ...(rest.addressing === 'static' && rest.addresses.length === 0 ? { addressing: 'none' as const } : {}),
    }))
}

function host(name: string, bridges: readonly string[]): fc.Arbitrary<Host> {
  return fc.subarray(['eth0', 'eth1']).chain((names) =>
    fc.record({
      name: fc.constant(name),
      loopback: fc.boolean(),
      addresses: fc.constantFrom([], [{ address: 0xcb007101, prefixLength: 32 }]),
      interfaces: fc.tuple(...names.map((i) => hostInterface(name, i, bridges))),
      routes: fc.constantFrom([], [{ to: { address: 0x0a070000, prefixLength: 16 }, via: 0x0a0000fe }]),
      dns: fc.constantFrom([], [0x0a0000fe]),
    }),
  )
}

function routerInterface(
  router: string,
  name: string,
  bridges: readonly string[],
): fc.Arbitrary<RouterInterface> {
  return fc
    .record({
      name: fc.constant(name),
      bridge: fc.constantFrom(...bridges),
      port: fc.constant(attachmentPort(router, name)),
      vlan,
      mac,
      mtu,
      addresses: prefix.map((p) => [p]),
      dhcp: fc.constantFrom<(DhcpServerConfig | undefined)[]>(
        undefined,
        { serverId: 0x0a000001, subnets: [SUBNET], authoritative: false, probe: true },
        { serverId: 0x0a000001, subnets: [SUBNET, REMOTE_SUBNET], authoritative: true, probe: false },
      ),
    })
    .map((rest) => ({
      ...rest,
      ...(rest.dhcp === undefined ? {} : { addresses: [{ address: 0x0a000001, prefixLength: 24 }] }),
      services: rest.dhcp === undefined ? [] : [67],
    }))
}

function router(name: string, bridges: readonly string[]): fc.Arbitrary<Router> {
  return fc.subarray(['eth0', 'eth1']).chain((names) =>
    fc.record({
      name: fc.constant(name),
      interfaces: fc.tuple(...names.map((i) => routerInterface(name, i, bridges))),
      routes: fc.constantFrom([], [{ prefix: 0, prefixLength: 0, via: 0x0a0000fe, metric: 0 }]),
      nat: fc.subarray(NAT_RULES),
      redirects: fc.boolean(),
      icmpErrorRate: fc.constant(1000),
      maxConnections: fc.constant(65536),
      helpers: fc.subarray<'ftp' | 'tftp'>(['ftp', 'tftp']),
      timeouts: fc.constantFrom(
        { tcpEstablished: 1000, tcpTransitory: 1000, udp: 1000, icmp: 1000 },
        { tcpEstablished: 7_440_000, tcpTransitory: 1000, udp: 300_000, icmp: 60_000 },
      ),
    }),
  )
}

export const network: fc.Arbitrary<Network> = fc
  .record({
    bridges: fc.subarray(BRIDGES, { minLength: 1 }),
    hosts: fc.subarray(['vm1', 'vm2']),
    routers: fc.subarray(['rt']),
    // Each port is on some bridge, or on none.
    places: fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)),
  })
  .chain(({ bridges, hosts, routers, places }) =>
    fc.record({
      bridges: fc.tuple(
        ...bridges.map((name, index) =>
          bridge(
            name,
            ['p1', 'p2', 'p3'].filter((_, p) => places[p] === index),
          ),
        ),
      ),
      hosts: fc.tuple(...hosts.map((name) => host(name, bridges))),
      routers: fc.tuple(...routers.map((name) => router(name, bridges))),
    }),
  )
