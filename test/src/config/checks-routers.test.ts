import type { Free } from './base.ts'
import { testCases } from './spoil.ts'

const eth0 = (c: Free) => c.hosts.vm1.interfaces.eth0
const dhcp = (c: Free) => c.routers.rt.interfaces.eth0.dhcp
const DHCP = '$.routers.rt.interfaces.eth0.dhcp'
const OWN =
  'an address of the router (10.0.0.254, 192.168.100.11); give 192.168.100.12 to one of its interfaces first'

testCases([
  // Routers
  [
    'overlapping subnets on one router',
    (c) => (c.routers.rt.interfaces.eth2 = { bridge: 'br-ex', address: '10.0.0.129/25' }),
    [
      '$.routers.rt.interfaces.eth2.address',
      '"10.0.0.129/25"',
      'a subnet that does not overlap 10.0.0.0/24 of $.routers.rt.interfaces.eth0.address',
    ],
  ],
  [
    'a route by a next hop on no subnet',
    (c) => (c.routers.rt.routes[0].via = '172.16.0.1'),
    [
      '$.routers.rt.routes[0].via',
      '"172.16.0.1"',
      'an address on a subnet of the router: 10.0.0.0/24 or 192.168.100.0/24',
    ],
  ],
  [
    'a route by the router itself',
    (c) => (c.routers.rt.routes[0].via = '192.168.100.11'),
    [
      '$.routers.rt.routes[0].via',
      '"192.168.100.11"',
      'the address of another machine, not one of the router',
    ],
  ],
  [
    'a route to a subnet with host bits',
    (c) => (c.routers.rt.routes[0].to = '10.7.0.1/16'),
    ['$.routers.rt.routes[0].to', '"10.7.0.1/16"', '"10.7.0.0/16", a subnet without host bits'],
  ],
  [
    'two routes to one destination',
    (c) => c.routers.rt.routes.push({ to: 'default', via: '192.168.100.2' }),
    [
      '$.routers.rt.routes[1].to',
      '"default"',
      'a destination that no other route has with the same metric ($.routers.rt.routes[0] does)',
    ],
  ],

  // NAT
  [
    'a NAT address that is not on the router',
    (c) => (c.routers.rt.nat[0].to = '192.168.100.12'),
    ['$.routers.rt.nat[0].to', '"192.168.100.12"', OWN],
  ],
  [
    'a NAT range that leaves the router',
    (c) => (c.routers.rt.nat[0].to = ['192.168.100.11-192.168.100.12']),
    ['$.routers.rt.nat[0].to[0]', '"192.168.100.11-192.168.100.12"', OWN],
  ],
  [
    'a NAT range backwards',
    (c) => (c.routers.rt.nat[0].to = '192.168.100.11-192.168.100.9'),
    [
      '$.routers.rt.nat[0].to',
      '"192.168.100.11-192.168.100.9"',
      'a range whose first address is not greater than its last',
    ],
  ],
  [
    'ports backwards',
    (c) => (c.routers.rt.nat[0].ports = '2000-1000'),
    ['$.routers.rt.nat[0].ports', '"2000-1000"', 'a range whose first port is not greater than its last'],
  ],
  [
    'masquerade on an interface that does not exist',
    (c) => (c.routers.rt.nat[0] = { type: 'masquerade', outInterface: 'eth9' }),
    ['$.routers.rt.nat[0].outInterface', '"eth9"', 'an interface of the router (eth0, eth1)'],
  ],
  [
    'a forward of an address that is not on the router',
    (c) =>
      (c.routers.rt.nat[0] = {
        type: 'dnat',
        protocol: 'tcp',
        address: '192.168.100.12',
        port: 80,
        to: '10.0.0.1',
      }),
    ['$.routers.rt.nat[0].address', '"192.168.100.12"', OWN],
  ],
  [
    'a forward of a port without a protocol',
    (c) => (c.routers.rt.nat[0] = { type: 'dnat', address: '192.168.100.11', port: 80, to: '10.0.0.1:80' }),
    ['$.routers.rt.nat[0].port', '80', 'no port unless "protocol" is "tcp" or "udp"'],
  ],
  [
    'a port forwarded twice',
    (c) => {
      const forward = { type: 'dnat', protocol: 'tcp', address: '192.168.100.11', to: '10.0.0.1' }
      c.routers.rt.nat = [
        { ...forward, port: '80-90' },
        { ...forward, port: 85 },
      ]
    },
    ['$.routers.rt.nat[1].port', '85', 'what no earlier rule forwards already ($.routers.rt.nat[0] does)'],
  ],
  [
    'a rule of unknown type',
    (c) => (c.routers.rt.nat[0].type = 'snaat'),
    ['$.routers.rt.nat[0].type', '"snaat"', 'one of "snat", "masquerade", "dnat"'],
  ],

  // DHCP
  [
    'a pool outside the subnet',
    (c) => (dhcp(c).range = ['10.0.1.151', '10.0.1.160']),
    [`${DHCP}.range[0]`, '"10.0.1.151"', 'an address inside 10.0.0.0/24, the subnet that is served'],
    [`${DHCP}.range[1]`, '"10.0.1.160"', 'an address inside 10.0.0.0/24, the subnet that is served'],
  ],
  [
    "a pool over the router's own address",
    (c) => (dhcp(c).range = ['10.0.0.200', '10.0.0.254']),
    [
      `${DHCP}.range`,
      '["10.0.0.200","10.0.0.254"]',
      "a range that leaves out 10.0.0.254, the router's own address",
    ],
  ],
  [
    'a pool backwards',
    (c) => (dhcp(c).range = ['10.0.0.160', '10.0.0.151']),
    [
      `${DHCP}.range`,
      '["10.0.0.160","10.0.0.151"]',
      'a range whose first address is not greater than its last',
    ],
  ],
  [
    'a pool with the broadcast address',
    (c) => {
      c.routers.rt.interfaces.eth0.address = '10.0.0.3/24'
      eth0(c).gateway = '10.0.0.3'
      dhcp(c).range = ['10.0.0.151', '10.0.0.255']
    },
    [`${DHCP}.range[1]`, '"10.0.0.255"', 'an address between 10.0.0.1 and 10.0.0.254'],
  ],
  [
    'overlapping pools',
    (c) => (dhcp(c).ranges = [['10.0.0.160', '10.0.0.170']]),
    [`${DHCP}.ranges[0]`, '["10.0.0.160","10.0.0.170"]', `a range that does not overlap ${DHCP}.range`],
  ],
  [
    'a reservation outside the subnet',
    (c) => (dhcp(c).reservations = [{ mac: '02:00:00:00:00:09', address: '10.0.2.9' }]),
    [
      `${DHCP}.reservations[0].address`,
      '"10.0.2.9"',
      'an address inside 10.0.0.0/24, the subnet that is served',
    ],
  ],
  [
    'a reservation for nobody',
    (c) => (dhcp(c).reservations = [{ address: '10.0.0.9' }]),
    [`${DHCP}.reservations[0]`, '{"address":"10.0.0.9"}', 'a "mac" or a "clientId"'],
  ],
  [
    'an address reserved twice',
    (c) =>
      (dhcp(c).reservations = [
        { mac: '02:00:00:00:00:09', address: '10.0.0.9' },
        { mac: '02:00:00:00:00:08', address: '10.0.0.9' },
      ]),
    [
      `${DHCP}.reservations[1].address`,
      '"10.0.0.9"',
      `an address without another reservation (${DHCP}.reservations[0].address)`,
    ],
  ],
  [
    'a shortest lease longer than the lease',
    (c) => (dhcp(c).minLeaseTime = 100_000),
    [`${DHCP}.minLeaseTime`, '100000', 'no more than 86400, the leaseTime'],
  ],
  [
    'a relayed subnet that overlaps',
    (c) => (dhcp(c).subnets = [{ subnet: '10.0.0.0/16' }]),
    [`${DHCP}.subnets[0].subnet`, '"10.0.0.0/16"', `a subnet that does not overlap 10.0.0.0/24 of ${DHCP}`],
  ],
  [
    'an unknown DHCP option',
    (c) => (dhcp(c).options = { 'domain-name-serverz': '10.0.0.1' }),
    [
      `${DHCP}.options.domain-name-serverz`,
      'the name "domain-name-serverz"',
      'the name or number of a DHCP option',
    ],
  ],
  [
    'a DHCP option with a value of another type',
    (c) => (dhcp(c).options = { router: '10.0.0.999', 'interface-mtu': 'big' }),
    [`${DHCP}.options.router`, '"10.0.0.999"', 'an IPv4 address or a list of them'],
    [`${DHCP}.options.interface-mtu`, '"big"', 'a number from 0 to 65535'],
  ],
  [
    'a DHCP option by name and number',
    (c) => (dhcp(c).options = { '3': '10.0.0.254', router: '10.0.0.254' }),
    [
      `${DHCP}.options.router`,
      'the name "router"',
      `an option that is not given yet (${DHCP}.options.3 is the same one)`,
    ],
  ],
  [
    'a DHCP option by number without a type',
    (c) => (dhcp(c).options = { '224': 'x' }),
    [`${DHCP}.options.224`, '"x"', '{ "type": …, "value": … }, as this number has no name'],
  ],
  [
    'a DHCP option that the server sets itself',
    (c) => (dhcp(c).options = { 'dhcp-lease-time': 5 }),
    [
      `${DHCP}.options.dhcp-lease-time`,
      'the name "dhcp-lease-time"',
      'an option that the server does not set itself',
    ],
  ],
])
