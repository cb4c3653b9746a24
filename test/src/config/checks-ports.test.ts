import { expect, test } from 'vitest'
import { base, errorsOf, type Free } from './base.ts'
import { testCases } from './spoil.ts'

const eth0 = (c: Free) => c.hosts.vm1.interfaces.eth0
const ETH0 = '$.hosts.vm1.interfaces.eth0'
const ports = (c: Free) => c.bridges['br-ex'].ports
const PORTS = '$.bridges.br-ex.ports'
const IFNAME = 'a Linux interface name: 1 to 15 printable characters without space, "/", ":" or "%"'

test('the configuration that the cases spoil is valid', () => {
  expect(errorsOf(base())).toEqual([])
})

testCases([
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
])
