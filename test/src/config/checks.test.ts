import { expect, test } from 'vitest'
import { base, errorsOf, type Free } from './base.ts'

/** name of the case; what is done to a valid configuration; path, what is found and what is expected. */
type Case = readonly [
  name: string,
  spoil: (c: Free) => void,
  ...errors: (readonly [string, string, string])[],
]

const eth0 = (c: Free) => c.hosts.vm1.interfaces.eth0
const ETH0 = '$.hosts.vm1.interfaces.eth0'
const dhcp = (c: Free) => c.routers.rt.interfaces.eth0.dhcp
const DHCP = '$.routers.rt.interfaces.eth0.dhcp'
const ports = (c: Free) => c.bridges['br-ex'].ports
const PORTS = '$.bridges.br-ex.ports'
const IFNAME = 'a Linux interface name: 1 to 15 printable characters without space, "/", ":" or "%"'
const OWN =
  'an address of the router (10.0.0.254, 192.168.100.11); give 192.168.100.12 to one of its interfaces first'

const CASES: readonly Case[] = [
  // Interfaces and bridges
  [
    'an interface on a bridge that does not exist',
    (c) => (eth0(c).bridge = 'br-im'),
    [`${ETH0}.bridge`, '"br-im"', 'a bridge: br-in, br-ex'],
  ],
  [
    'an interface on no bridge',
    (c) => delete eth0(c).bridge,
    [`${ETH0}.bridge`, 'nothing', 'the name of a bridge'],
  ],
  [
    'a gateway outside its subnet',
    (c) => (eth0(c).gateway = '10.0.1.254'),
    [`${ETH0}.gateway`, '"10.0.1.254"', 'an address inside 10.0.0.0/24, the subnet of the interface'],
  ],
  [
    'a gateway that is the host itself',
    (c) => (eth0(c).gateway = '10.0.0.1'),
    [`${ETH0}.gateway`, '"10.0.0.1"', 'the address of another machine, not its own'],
  ],
  [
    'a gateway beside dhcp',
    (c) => (c.hosts.vm2.interfaces.eth0.gateway = '10.0.0.254'),
    ['$.hosts.vm2.interfaces.eth0.gateway', '"10.0.0.254"', 'no gateway beside "dhcp", which brings one'],
  ],
  [
    'two default gateways on one host',
    (c) =>
      (c.hosts.vm1.interfaces.eth1 = {
        bridge: 'br-ex',
        address: '192.168.100.5/24',
        gateway: '192.168.100.1',
      }),
    [
      '$.hosts.vm1.interfaces.eth1.gateway',
      '"192.168.100.1"',
      `one default gateway for a host (${ETH0}.gateway is one already)`,
    ],
  ],
  [
    'the network address',
    (c) => (eth0(c).address = '10.0.0.0/24'),
    [
      `${ETH0}.address`,
      '"10.0.0.0/24"',
      'an address between 10.0.0.1 and 10.0.0.254 (this is the network address of 10.0.0.0/24)',
    ],
  ],
  [
    'the broadcast address',
    (c) => (eth0(c).address = '10.0.0.255/24'),
    [
      `${ETH0}.address`,
      '"10.0.0.255/24"',
      'an address between 10.0.0.1 and 10.0.0.254 (this is the broadcast address of 10.0.0.0/24)',
    ],
  ],
  [
    'a multicast address',
    (c) => {
      eth0(c).address = '224.0.0.5/24'
      delete eth0(c).gateway
    },
    [
      `${ETH0}.address`,
      '"224.0.0.5/24"',
      'an address that a host can have: not of 0.0.0.0/8, 127.0.0.0/8 or 224.0.0.0/3',
    ],
  ],
  [
    'no address at all',
    (c) => (eth0(c).address = '10.0.0.300/24'),
    [
      `${ETH0}.address`,
      '"10.0.0.300/24"',
      'an IPv4 address with its prefix length such as "10.0.0.1/24", "dhcp" or "none"',
    ],
  ],
  [
    'dhcp among addresses',
    (c) => (eth0(c).address = ['10.0.0.1/24', 'dhcp']),
    [`${ETH0}.address[1]`, '"dhcp"', 'an address: "dhcp" stands alone'],
  ],
  [
    'an address given twice on one network',
    (c) => (c.hosts.vm2.interfaces.eth0.address = '10.0.0.254/24'),
    [
      '$.routers.rt.interfaces.eth0.address',
      '"10.0.0.254/24"',
      'an address that nobody else has on this network ($.hosts.vm2.interfaces.eth0.address does)',
    ],
  ],
  [
    'a MAC address given twice',
    (c) => {
      eth0(c).mac = '02:00:00:00:00:0a'
      c.hosts.vm2.interfaces.eth0.mac = '02:00:00:00:00:0A'
    },
    [
      '$.hosts.vm2.interfaces.eth0.mac',
      '"02:00:00:00:00:0A"',
      `a MAC address that nobody else has (${ETH0}.mac does)`,
    ],
  ],
  [
    'a multicast MAC address',
    (c) => (eth0(c).mac = '03:00:00:00:00:01'),
    [
      `${ETH0}.mac`,
      '"03:00:00:00:00:01"',
      'a unicast MAC address: the second hexadecimal digit must be even',
    ],
  ],
  [
    'a host route by a gateway it cannot reach',
    (c) => (c.hosts.vm1.routes = [{ to: '10.9.0.0/16', via: '10.1.0.1' }]),
    ['$.hosts.vm1.routes[0].via', '"10.1.0.1"', 'an address on a subnet of the host: 10.0.0.0/24'],
  ],

  // Names
  [
    'two ports of one name on two bridges',
    (c) => (c.bridges['br-in'].ports = { p10: {} }),
    [
      `${PORTS}.p10`,
      'the name "p10"',
      'a port name that is not taken yet (it is by $.bridges.br-in.ports.p10)',
    ],
  ],
  [
    'a port named as a bridge',
    (c) => (ports(c)['br-in'] = {}),
    [`${PORTS}.br-in`, 'the name "br-in"', 'a port name that is not taken yet (it is by $.bridges.br-in)'],
  ],
  [
    'a router named as a host',
    (c) => (c.routers.vm1 = {}),
    ['$.routers.vm1', 'the name "vm1"', 'a name that no host has ($.hosts.vm1 does)'],
  ],
  [
    'a bridge name longer than IFNAMSIZ allows',
    (c) => (c.bridges['bridge-too-long!'] = {}),
    ['$.bridges["bridge-too-long!"]', 'the name "bridge-too-long!"', IFNAME],
  ],
  ['a port name with a slash', (c) => (ports(c)['a/b'] = {}), [`${PORTS}["a/b"]`, 'the name "a/b"', IFNAME]],
  [
    'an interface named lo',
    (c) => (c.hosts.vm1.interfaces.lo = { bridge: 'br-in' }),
    ['$.hosts.vm1.interfaces.lo', 'the name "lo"', 'another name: "lo" is the loopback interface'],
  ],
  [
    'a host name that is no file name',
    (c) => (c.hosts['..'] = {}),
    [
      '$.hosts[".."]',
      'the name ".."',
      'a name of at most 63 letters, digits, "-" and "_" that does not begin with "-"',
    ],
  ],

  // Ports and devices
  [
    'a device used twice',
    (c) => (ports(c).second = { type: 'system', device: 'eno1' }),
    [`${PORTS}.second.device`, '"eno1"', `a device that is not used yet (it is by ${PORTS}.uplink.device)`],
  ],
  [
    'an uplink that is the bridge itself',
    (c) => (ports(c).uplink.device = 'br-ex'),
    [`${PORTS}.uplink.device`, '"br-ex"', 'a device that is not used yet (it is by $.bridges.br-ex)'],
  ],
  [
    'the loopback interface as uplink',
    (c) => (ports(c).uplink.device = 'lo'),
    [`${PORTS}.uplink.device`, '"lo"', 'a device other than the loopback interface'],
  ],
  [
    'two ports of one bridge that move their addresses',
    (c) => {
      ports(c).uplink.moveAddress = true
      ports(c).other = { type: 'system', device: 'eno2', moveAddress: true }
    },
    [`${PORTS}.other.moveAddress`, 'true', `one such port on a bridge (${PORTS}.uplink is one already)`],
  ],
  [
    'a patch without a peer',
    (c) => (ports(c).a = { type: 'patch' }),
    [`${PORTS}.a.peer`, 'nothing', 'the name of the patch port at the other end'],
  ],
  [
    'a patch whose peer does not exist',
    (c) => (ports(c).a = { type: 'patch', peer: 'b' }),
    [`${PORTS}.a.peer`, '"b"', 'the name of a patch port'],
  ],
  [
    'a patch that is its own peer',
    (c) => (ports(c).a = { type: 'patch', peer: 'a' }),
    [`${PORTS}.a.peer`, '"a"', 'the name of another patch port, not its own'],
  ],
  [
    'patches that are not mutual',
    (c) => {
      ports(c).a = { type: 'patch', peer: 'b' }
      ports(c).b = { type: 'patch', peer: 'x' }
      c.bridges['br-in'].ports = { x: { type: 'patch', peer: 'b' } }
    },
    [`${PORTS}.a.peer`, '"b"', `a patch port whose peer is "a" (${PORTS}.b.peer is "x")`],
  ],
  [
    'a key of another type of port',
    (c) => (ports(c).p10.peer = 'x'),
    [`${PORTS}.p10.peer`, '"x"', 'no peer on a port of type "tap" (only on type "patch")'],
  ],
  [
    'two ports of one OpenFlow number',
    (c) => {
      ports(c).uplink.ofport = 7
      ports(c).p10.ofport = 7
    },
    [
      `${PORTS}.p10.ofport`,
      '7',
      `a number that no other port of the bridge has (${PORTS}.uplink.ofport does)`,
    ],
  ],

  // VLANs
  ['a VLAN out of range', (c) => (eth0(c).tag = 4096), [`${ETH0}.tag`, '4096', 'a VLAN id from 0 to 4094']],
  [
    'a VLAN out of range among trunks',
    (c) => (ports(c).uplink.trunks = [1, 5000]),
    [`${PORTS}.uplink.trunks[1]`, '5000', 'a VLAN id from 0 to 4094'],
  ],
  [
    'a tag with trunks and no mode',
    (c) => (ports(c).p10.trunks = [20]),
    [
      `${PORTS}.p10.trunks`,
      '[20]',
      'no trunks beside a tag unless "vlanMode" is "native-tagged" or "native-untagged"',
    ],
  ],
  [
    'trunks on an access port',
    (c) => Object.assign(ports(c).p10, { vlanMode: 'access', trunks: [20] }),
    [`${PORTS}.p10.trunks`, '[20]', 'no trunks on a port of mode "access"'],
  ],
  [
    'a tag on a trunk port',
    (c) => (ports(c).p10.vlanMode = 'trunk'),
    [
      `${PORTS}.p10.tag`,
      '10',
      'no tag on a port of mode "trunk" (of mode "native-untagged" it would have one)',
    ],
  ],
  [
    'a native mode without a tag',
    (c) => (eth0(c).vlanMode = 'native-tagged'),
    [`${ETH0}.tag`, 'nothing', 'a VLAN id from 0 to 4094, which mode "native-tagged" needs'],
  ],
  [
    'customer VLANs without a tunnel',
    (c) => (ports(c).p10.cvlans = [1]),
    [`${PORTS}.p10.cvlans`, '[1]', 'no cvlans unless "vlanMode" is "dot1q-tunnel"'],
  ],

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
]

test('the configuration that the cases spoil is valid', () => {
  expect(errorsOf(base())).toEqual([])
})

test.each(CASES)('%s', (_name, spoil, ...expected) => {
  const config = base()
  spoil(config)
  expect(errorsOf(config).map((e) => [e.path, e.found, e.expected])).toEqual(expected)
})
