/** Commands of ovs-vswitchd, given to Open vSwitch and to ours with the same bridges and the same traffic. */
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseFlowLine } from '../../../protocols/openflow/text/flow-parse.ts'
import { fillChecksum } from '../../../protocols/wire/ipv4.ts'
import { CommandRegistry } from '../../../src/unixctl/command-registry.ts'
import { addSwitchCommands } from '../../../src/unixctl/switch-commands.ts'
import { OpenVswitch } from '../../support/ovs.ts'
import { bridgeSpec, SwitchLab, vlan } from '../../support/switch-lab.ts'

let ovs: OpenVswitch
const lab = new SwitchLab()
const registry = new CommandRegistry()
const bridges = ['br0', 'br1'].map((name) => ({ name, datapathType: 'dummy' }))

beforeAll(async () => {
  addSwitchCommands(
    registry,
    {
      dpif: lab.local.dpif,
      bridges: () => bridges,
      reconnect: async () => {},
      clockSet: async () => {},
    },
    () => 'unknown',
  )
  ovs = await OpenVswitch.start()
  await ovs.addBridge('br0', { ports: ['p1', 'p2'], failMode: 'standalone' })
  await ovs.addPort('br0', 'p3', 3, 'tag=10')
  await ovs.addBridge('br1', { ports: ['p11'] })
  await ovs.vsctl(
    ...[
      'add-port',
      'br1',
      'pa',
      '--',
      'set',
      'interface',
      'pa',
      'type=patch',
      'options:peer=pb',
      'ofport_request=2',
    ],
    ...[
      '--',
      'add-port',
      'br0',
      'pb',
      '--',
      'set',
      'interface',
      'pb',
      'type=patch',
      'options:peer=pa',
      'ofport_request=4',
    ],
  )
  for (const name of ['br0', 'br1']) {
    lab.commands.bridgePut(
      bridgeSpec(name, { macTableSize: 8192, failMode: name === 'br0' ? 'standalone' : 'secure' }),
    )
    lab.port(name, name)
  }
  lab.port('p1', 'br0', undefined, { ofport: 1 })
  lab.port('p2', 'br0', undefined, { ofport: 2 })
  lab.port('p3', 'br0', vlan({ mode: 'access', tag: 10 }), { ofport: 3 })
  lab.port('p11', 'br1', undefined, { ofport: 1 })
  lab.port('pa', 'br1', undefined, { ofport: 2, kind: { type: 'patch', peer: 'pb' } })
  lab.port('pb', 'br0', undefined, { ofport: 4, kind: { type: 'patch', peer: 'pa' } })
})

afterAll(() => ovs?.stop())

/** What both answer; refusals too. */
async function ask(command: string, ...args: string[]): Promise<[theirs: string, ours: string]> {
  const text = (answer: Promise<string>) =>
    answer.then(end, (error: Error) => `refused: ${end(error.message)}`)
  return [await text(ovs.appctl(command, ...args)), await text(registry.run(command, args))]
}

const end = (text: string) => text.replace(/\n$/, '')

/** The order of tables that are hashed promises nothing. */
const HASHED = ['ovs/route/show', 'tnl/neigh/show', 'tnl/arp/show']

async function same(command: string, ...args: string[]): Promise<void> {
  const order = (text: string) => (HASHED.includes(command) ? text.split('\n').sort().join('\n') : text)
  const [theirs, ours] = await ask(command, ...args)
  expect(order(ours), [command, ...args].join(' ')).toBe(order(theirs))
}

describe('questions about a switch that carries nothing', () => {
  const QUESTIONS = `
    fdb/show br0
    fdb/show none
    fdb/show
    fdb/stats-show br0
    fdb/stats-show none
    fdb/stats-clear
    fdb/stats-clear br0
    fdb/stats-clear none
    fdb/flush
    fdb/flush none
    mdb/show br0
    mdb/show none
    mdb/flush
    mdb/flush none
    ofproto/list
    dpif/show
    dpif/dump-dps
    dpif/dump-flows br0
    dpif/dump-flows none
    dpif/show-dp-features none
    dpif/set-dp-features
    dpif/set-dp-features none
    dpif/set-dp-features none ct_zone
    dpif/set-dp-features br0 ct_zone
    dpif/set-dp-features br0 max_mpls_depth
    dpif/set-dp-features br0 foo
    dpif/set-dp-features br0 foo true
    dpif/set-dp-features br0 ct_zone 1
    dpif/set-dp-features br0 max_mpls_depth true
    dpif/set-dp-features br0 max_mpls_depth -1
    dpif/set-dp-features br0 max_mpls_depth -x
    dpif/set-dp-features br0 max_mpls_depth 0x1
    dpif/set-dp-features br0 max_mpls_depth 4
    dpif/set-dp-features br0 max_mpls_depth 4294967297
    dpif/set-dp-features br0 max_mpls_depth 2 3
    dpctl/dump-dps
    dpctl/show
    dpctl/show -s
    dpctl/show none
    dpctl/show dummy@ovs-dummy
    dpctl/dump-flows
    dpctl/dump-flows none
    dpctl/dump-flows type=foo
    dpctl/del-flows
    dpctl/cache-get-size
    dpctl/cache-get-size none
    dpctl/dump-conntrack
    dpctl/dump-conntrack none
    dpctl/dump-conntrack zone=x
    dpctl/ct-stats-show
    dpctl/ct-bkts
    dpctl/ct-get-nconns
    dpctl/ct-get-maxconns
    dpctl/ct-set-maxconns x
    dpctl/ct-disable-tcp-seq-chk
    dpctl/ct-get-tcp-seq-chk
    dpctl/ct-enable-tcp-seq-chk
    dpctl/ct-get-tcp-seq-chk
    dpctl/ct-get-tcp-seq-chk none
    dpctl/ipf-get-status
    dpctl/ipf-set-disabled v4
    dpctl/ipf-set-disabled v5
    dpctl/ipf-set-max-nfrags 500
    dpctl/ipf-set-max-nfrags x
    dpctl/ipf-set-max-nfrags 50000
    dpctl/ipf-set-min-frag v4 1000
    dpctl/ipf-set-min-frag v4 10
    dpctl/ipf-set-min-frag v6 1300
    dpctl/ipf-set-min-frag v6 x
    dpctl/ipf-set-min-frag x 1300
    dpctl/ipf-get-status none
    dpctl/ipf-get-status
    dpctl/ipf-set-enabled dummy@ovs-dummy v4
    dpctl/ipf-set-max-nfrags 1000
    dpctl/ipf-set-min-frag v4 1200
    dpctl/ipf-set-min-frag v6 1280
    dpctl/parse-actions drop 1,2 pop_vlan ct_clear
    dpctl/parse-actions p1
    dpctl/parse-actions drop,1
    dpctl/parse-actions set(eth(src=00:01:02:03:04:05/ff:ff:ff:ff:ff:ff)) set(ipv4(dst=2.2.2.2,src=1.1.1.1,proto=6,tos=0,ttl=3)) set(ipv4(tos=0x4/0xfc)) set(udp(dst=3/0xff))
    dpctl/parse-actions set(ipv6(src=::1,dst=fe80::/ffff::,label=0,proto=6,tclass=0,hlimit=3)) set(mpls(label=3,tc=0,ttl=64,bos=1)) set(vlan(vid=3,pcp=0)) set(arp(sip=1.1.1.1)) set(icmp(type=3))
    dpctl/parse-actions set(foo(3))
    dpctl/parse-actions set(ipv4(foo=3))
    dpctl/parse-actions push_vlan(vid=3,pcp=2) push_vlan(tpid=0x88a8,vid=3,pcp=2) push_vlan(vid=3,pcp=2,cfi=0)
    dpctl/parse-actions push_vlan(vid=5000,pcp=0)
    dpctl/parse-actions trunc(100) meter(3) recirc(3) clone(push_vlan(vid=3,pcp=0),1),2 check_pkt_len(size=200,gt(drop),le(2))
    dpctl/normalize-actions in_port(1),eth(src=00:01:02:03:04:05,dst=00:01:02:03:04:06),eth_type(0x0800),ipv4(src=1.1.1.1,dst=2.2.2.2,proto=6,tos=0,ttl=64,frag=no),tcp(src=1,dst=2) 3,1,push_vlan(vid=3,pcp=1),4,2,pop_vlan,5
    dpctl/normalize-actions in_port(1),eth(src=00:01:02:03:04:05,dst=00:01:02:03:04:06),eth_type(0x8100),vlan(vid=9,pcp=0),encap(eth_type(0x1234)) 3,push_vlan(tpid=0x88a8,vid=3,pcp=1),4,pop_vlan,pop_vlan,5
    dpctl/normalize-actions in_port(p1),eth(src=00:01:02:03:04:05,dst=00:01:02:03:04:06),eth_type(0x1234) 3,set(eth(src=00:01:02:03:04:07)),2 p1=7
    dpctl/normalize-actions in_port(p1) 3,2 p1
    dpctl/normalize-actions in_port(p1) 3,2
    dpctl/normalize-actions in_port(1),eth(src=00:01:02:03:04:05,dst=00:01:02:03:04:06) foo
    dpctl/normalize-actions -m in_port(1),eth(src=00:01:02:03:04:05,dst=00:01:02:03:04:06),eth_type(0x8847),mpls(label=3,tc=0,ttl=5,bos=1) 3,2
    upcall/disable-megaflows
    upcall/enable-megaflows
    upcall/disable-ufid
    upcall/enable-ufid
    upcall/set-flow-limit x
    upcall/set-flow-limit 100000
    dpctl/ct-get-limits
    dpctl/ct-set-limits default=10 zone=1,limit=5
    dpctl/ct-set-limits zone=1
    dpctl/ct-get-limits
    dpctl/ct-get-limits zone=1,2
    dpctl/ct-del-limits zone=1
    dpctl/ct-get-limits
    dpctl/ct-set-limits default=1000000
    dpctl/ct-del-limits
    dpctl/flush-conntrack
    dpctl/flush-conntrack zone=x
    dpctl/flush-conntrack foo=3
    dpif-netdev/pmd-stats-clear
    dpif-netdev/pmd-rxq-show
    dpif-netdev/pmd-perf-show
    revalidator/wait
    revalidator/purge
    qos/show p1
    qos/show none
    qos/show-types none
    qos/show-types p1
    bond/list
    bond/show
    bond/show none
    bond/migrate a 1 b
    bond/enable-member a b
    bond/disable-member a b
    bond/set-active-member a b
    lacp/show
    lacp/show none
    lacp/show-stats
    stp/show
    stp/show br0
    stp/tcn
    stp/tcn br0
    rstp/show
    rstp/show br0
    rstp/tcn
    rstp/tcn br0
    cfm/show
    cfm/show p1
    cfm/set-fault normal
    cfm/set-fault p1 true
    bfd/show
    bfd/show p1
    bfd/set-forwarding normal
    bfd/set-forwarding p1 true
    autoattach/status
    tnl/ports/show
    tnl/ports/show -v
    ofproto/list-tunnels
    netdev-dummy/ip4addr br0 1.1.1.1/24
    netdev-dummy/ip4addr none 1.1.1.1/24
    netdev-dummy/ip4addr br0 1.1.1
    netdev-dummy/ip6addr br0 fd00::1/64
    netdev-dummy/ip6addr br0 fx
    netdev-dummy/ip6addr none fd00::1
    ovs/route/show
    ovs/route/lookup 1.1.1.2
    ovs/route/lookup foo
    ovs/route/lookup 1.1.1.0/24
    ovs/route/add 1.1.1.0/24 br0
    ovs/route/add 1.1.1.5/25 br0 pkt_mark=4
    ovs/route/add 2.2.3.0/24 br0 1.1.1.7
    ovs/route/add 2.2.4.0/24 br0 8.1.1.7
    ovs/route/add 2.2.5.0/24 none
    ovs/route/add 2.2.6.0/24 br0 1.1.1.7 pkt_mark=3
    ovs/route/add 2.2.6.0/24 br0 1.1.1.7 foo
    ovs/route/add 2.2.6.0/24 br0 foo
    ovs/route/add fd02::/64 br0 fd00::9
    ovs/route/add fd03::/64 br0 foo
    ovs/route/add foo br0
    ovs/route/lookup 1.1.1.2
    ovs/route/lookup 1.1.1.2 pkt_mark=4
    ovs/route/lookup 1.1.1.2 pkt_mark=0x5
    ovs/route/lookup 1.1.1.2 foo
    ovs/route/lookup 2.2.6.3 pkt_mark=3
    ovs/route/lookup fd02::1
    ovs/route/del 2.2.3.0/24
    ovs/route/del 2.2.3.0/24
    ovs/route/del foo
    ovs/route/del 2.2.6.0/24 pkt_mark=3
    ovs/route/show
    tnl/neigh/show
    tnl/neigh/set br0 1.1.1.9 aa:55:aa:55:00:01
    tnl/neigh/set br0 1.1.1.9 aa:55:aa:55:00:02
    tnl/arp/set none fd00::9 aa:55:aa:55:00:01
    tnl/neigh/set br0 1.1 foo
    tnl/neigh/set br0 1.1.1.1 foo
    tnl/neigh/show
    tnl/neigh/aging
    tnl/neigh/aging 5
    tnl/neigh/aging 0
    tnl/neigh/aging 3601
    tnl/arp/aging x
    tnl/arp/aging 3600
    tnl/neigh/aging
    tnl/arp/show
    tnl/neigh/flush
    tnl/neigh/show
    tnl/egress_port_range
    tnl/egress_port_range 100
    tnl/egress_port_range 200 100
    tnl/egress_port_range 100 70000
    tnl/egress_port_range x y
    tnl/egress_port_range
    bond/hash 50:54:00:00:00:01
    bond/hash 50:54:00:00:00:01 10
    bond/hash 50:54:00:00:00:01 10 7
    bond/hash foo
    bond/hash 50:54:00:00:00:01 foo
    bond/hash 50:54:00:00:00:01 10 x
    dpctl/cache-set-size dummy@ovs-dummy foo 3
    dpctl/cache-set-size none foo 3
    dpctl/cache-set-size none foo x
    dpctl/offload-stats-show
    dpif-netdev/bond-show
    dpif-netdev/dpif-impl-get
    dpif-netdev/dpif-impl-set dpif_scalar
    dpif-netdev/dpif-impl-set foo
    dpif-netdev/miniflow-parser-set scalar
    dpif-netdev/miniflow-parser-set foo
    dpif-netdev/pmd-perf-log-set off
    dpif-netdev/pmd-perf-log-set foo
    dpif-netdev/pmd-rxq-rebalance
    dpif-netdev/subtable-lookup-prio-set generic 3
    dpif-netdev/subtable-lookup-prio-set foo 3
    odp-execute/action-impl-set scalar
    odp-execute/action-impl-set foo
    bridge/reconnect
    bridge/reconnect br0
    bridge/reconnect none
    bridge/dump-flows none
    coverage/read-counter none
    netdev-dummy/conn-state
    netdev-dummy/conn-state p1
    netdev-dummy/set-admin-state p1 foo
    netdev-dummy/set-admin-state none down
    netdev-dummy/receive none 1234
    netdev-dummy/receive p1 foo
    netdev-dummy/receive p1 1234
    netdev-dummy/receive p1 in_port(1),foo(3)
    netdev-dummy/receive p1 eth_type(0x800),ipv4(src=1)
    netdev-dummy/receive p1 in_port(1),eth(src=50:54:00:00:00:01
    time/warp x
    ofproto/trace none in_port=1
    ofproto/trace br0
    ofproto/trace br1 foo=3
    ofproto/trace br1 in_port=foo
    ofproto/trace br1 in_port=1 -consistent
    ofproto/trace a b c d
    ofproto/trace br1 in_port=1 --ct-next
    ofproto/trace br1 in_port=1 --ct-next foo
    ofproto/trace br1 in_port=1 --ct-next new,est
    ofproto/trace br1 in_port=1 --ct-next est,inv
    ofproto/trace br1 in_port=1 --ct-next new,rpl
    ofproto/trace foo(11)
    ofproto/trace in_port(91),eth_type(0x1234)
    ofproto/trace nodp in_port(11),eth_type(0x1234)
    ofproto/trace-packet-out br1 in_port=1 foo
    ofproto/trace-packet-out br1 in_port=1 set_field:1.1.1.1->nw_src
  `
  test.each(QUESTIONS.trim().split(/\n\s*/))('%s', async (line) => {
    const [command, ...args] = line.split(' ')
    await same(command!, ...args)
  })
})

test('what the thread has done, but for the batches it sends in', async () => {
  const [theirs, ours] = await ask('dpif-netdev/pmd-stats-show')
  expect(ours).toBe(theirs.replace(/\n *avg. packets per output batch: .*/, ''))
})

test('features of a datapath: set for all its bridges, no more than there are, and shown as they were', async () => {
  for (const [zone, depth] of [
    ['FALSE', '+2'],
    ['False', '0'],
    ['true', '3'],
  ] as const) {
    await same('dpif/set-dp-features', 'br0', 'ct_zone', zone)
    await same('dpif/set-dp-features', 'br0', 'max_mpls_depth', depth)
    await same('dpif/set-dp-features', 'br1', 'ct_zone')
    await same('dpif/set-dp-features', 'br1', 'max_mpls_depth')
    const found = (await ask('dpif/show-dp-features', 'br1')).map((text) =>
      text.match(/^(?:CT zone|Max MPLS depth): .*$/gm),
    )
    expect(found).toEqual(Array(2).fill(['Max MPLS depth: 3', 'CT zone: Yes']))
  }
  const fields = (text: string) =>
    text
      .replace(/: \[run time\].*/gm, '')
      .split('\n')
      .sort()
  const [theirs, ours] = await ask('dpif/set-dp-features', 'br0')
  expect(fields(ours)).toEqual(fields(theirs))
  const beyond = await registry.run('dpif/set-dp-features', ['br0', 'tnl_push_pop', 'true'])
  expect(beyond).toBe('Can not set value beyond the datapath capability')
})

test('addresses learned by hand', async () => {
  for (const line of [
    'fdb/add br0 p2 0 50:54:00:00:00:77',
    'fdb/add br0 p9 0 50:54:00:00:00:77',
    'fdb/add br0 p2 0 50:54:00:00:77',
    'fdb/add none p2 0 50:54:00:00:00:77',
    'fdb/show br0',
    'fdb/stats-show br0',
    'fdb/del br0 0 50:54:00:00:00:77',
    'fdb/del br0 0 50:54:00:00:00:77',
    'fdb/del none 0 50:54:00:00:00:77',
    'fdb/del br0 0 50:54:00:',
    'fdb/show br0',
  ]) {
    const [command, ...args] = line.split(' ')
    await same(command!, ...args)
  }
})

test('no name of a flow, no file of flows: refused, where Open vSwitch answers with the refusal', async () => {
  for (const [command, argument] of [
    ['dpctl/get-flow', 'ufid:foo'],
    ['dpctl/add-flows', '/nowhere/to/be/found'],
  ] as const) {
    const [theirs, ours] = await ask(command, argument)
    expect(ours).toBe(`refused: ${theirs}`)
  }
})

describe('traffic', () => {
  const ETH = 'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02)'
  const IP = 'src=10.0.0.1,dst=10.0.0.2'
  const V6 = 'src=fe80::1,dst=fe80::2'
  /** A flow of each family, by port. */
  const FLOWS: readonly (readonly [port: string, flow: string])[] = [
    [
      'p1',
      `${ETH},eth_type(0x0800),ipv4(${IP},proto=6,tos=0,ttl=64,frag=no),tcp(src=8,dst=9),tcp_flags(syn|ack)`,
    ],
    ['p1', `${ETH},eth_type(0x0800),ipv4(${IP},proto=6,tos=0,ttl=64,frag=no),tcp(src=8,dst=9)`],
    ['p1', `${ETH},eth_type(0x0800),ipv4(${IP},proto=17,tos=0,ttl=64,frag=no),udp(src=8,dst=9)`],
    ['p1', `${ETH},eth_type(0x0800),ipv4(${IP},proto=132,tos=0,ttl=64,frag=no),sctp(src=8,dst=9)`],
    ['p1', `${ETH},eth_type(0x0800),ipv4(${IP},proto=1,tos=0,ttl=64,frag=no),icmp(type=8,code=0)`],
    ['p1', `${ETH},eth_type(0x0800),ipv4(${IP},proto=1,tos=0,ttl=64,frag=no),icmp(type=3,code=1)`],
    ['p1', `${ETH},eth_type(0x0800),ipv4(${IP},proto=2,tos=4,ttl=64,frag=no)`],
    ['p1', `${ETH},eth_type(0x0800),ipv4(${IP},proto=17,tos=0,ttl=64,frag=first),udp(src=8,dst=9)`],
    ['p1', `${ETH},eth_type(0x0800),ipv4(${IP},proto=17,tos=0,ttl=64,frag=later)`],
    [
      'p1',
      `${ETH},eth_type(0x0806),arp(sip=1.1.1.1,tip=2.2.2.2,op=1,sha=50:54:00:00:00:01,tha=00:00:00:00:00:00)`,
    ],
    [
      'p1',
      `${ETH},eth_type(0x86dd),ipv6(${V6},label=0,proto=58,tclass=0x70,hlimit=128,frag=no),icmpv6(type=128,code=0)`,
    ],
    [
      'p1',
      `${ETH},eth_type(0x86dd),ipv6(${V6},label=3,proto=58,tclass=0x70,hlimit=128,frag=no),icmpv6(type=135,code=0),nd(target=fe80::3,sll=00:01:02:03:04:05)`,
    ],
    [
      'p1',
      `${ETH},eth_type(0x86dd),ipv6(${V6},label=0,proto=6,tclass=0,hlimit=128,frag=no),tcp(src=80,dst=8080)`,
    ],
    ['p1', `${ETH},eth_type(0x86dd),ipv6(${V6},label=0,proto=17,tclass=0,hlimit=128,frag=later)`],
    ['p1', `${ETH},eth_type(0x86dd),ipv6(${V6},label=0,proto=59,tclass=0,hlimit=128,frag=no)`],
    [
      'p1',
      `${ETH.replace(':02)', ':03)')},eth_type(0x8100),vlan(vid=10,pcp=0),encap(eth_type(0x0800),ipv4(${IP},proto=17,tos=0,ttl=64,frag=no),udp(src=8,dst=9))`,
    ],
    ['p3', 'eth(src=50:54:00:00:00:03,dst=50:54:00:00:00:02),eth_type(0x1234)'],
    ['p2', 'eth(src=50:54:00:00:00:02,dst=50:54:00:00:00:01),eth_type(0x1234)'],
    ['p1', `${ETH},eth_type(0x8847),mpls(label=11,tc=3,ttl=64,bos=1)`],
    ['p1', `${ETH},eth_type(0x1234)`],
    ['p1', ETH],
    ['p2', '50540000000150540000000288cc'],
    ['p11', `${ETH},eth_type(0x1234)`],
  ]

  test('frames are made of flows, carried, and leave flows in the datapath, all as in Open vSwitch', async () => {
    // Who is where is known before, so that no flow changes on the way.
    for (const [port, mac] of [
      ['p1', '01'],
      ['p2', '02'],
      ['p3', '03'],
    ] as const) {
      await ask(
        'netdev-dummy/receive',
        port,
        `eth(src=50:54:00:00:00:${mac},dst=ff:ff:ff:ff:ff:ff),eth_type(0x1234)`,
      )
      await ovs.settle()
    }
    await ask('revalidator/purge')
    for (const [port, flow] of FLOWS) {
      await ovs.sent()
      lab.drain()
      const answers = await ask('netdev-dummy/receive', port, flow)
      await ovs.settle()
      expect(answers).toEqual(['', ''])
      const hex = (frames: readonly { port: string; frame: Uint8Array }[]) =>
        frames.map(({ port: name, frame }) => `${name} ${Buffer.from(frame).toString('hex')}`).sort()
      expect(hex(lab.drain().filter(({ port: name }) => !name.startsWith('br'))), `${port} ${flow}`).toEqual(
        hex(await ovs.sent()),
      )
    }
    const [learned, ourLearned] = await ask('fdb/show', 'br0')
    // Time passes for them, not for us: ages are left out.
    const stations = (text: string) =>
      text
        .replace(/ +\d+$/gm, '')
        .split('\n')
        .sort()
    expect(stations(ourLearned)).toEqual(stations(learned))
    await same('fdb/stats-show', 'br0')
    const [theirs, ours] = await ask('dpif/dump-flows', 'br0')
    expect(comparable(ours)).toEqual(comparable(theirs))
  })

  test('connections: dumped by zone, counted, limited and flushed by zone and tuple', async () => {
    const flows = [
      'priority=30,ip,in_port=1,actions=ct(commit,zone=3,exec(set_field:5->ct_mark,set_field:7->ct_label),nat(src=9.9.9.9)),output:2',
      'priority=30,ipv6,in_port=1,actions=ct(commit,zone=4),output:2',
    ]
    await ovs.ofctlInput(flows.join('\n'), 'add-flows', 'br1', '-')
    lab.commands.flowMod(
      'br1',
      flows.map((flow) => parseFlowLine(flow)),
      true,
    )
    for (const l4 of [
      'proto=6,tos=0,ttl=64,frag=no),tcp(src=8,dst=9),tcp_flags(syn)',
      'proto=17,tos=0,ttl=64,frag=no),udp(src=8,dst=9)',
    ]) {
      await ask('netdev-dummy/receive', 'p11', `${ETH},eth_type(0x0800),ipv4(${IP},${l4}`)
    }
    const v6 = `${ETH},eth_type(0x86dd),ipv6(${V6},label=0,proto=6,tclass=0,hlimit=64,frag=no),tcp(src=80,dst=81),tcp_flags(syn)`
    await ask('netdev-dummy/receive', 'p11', v6)
    await ovs.settle()
    const lines = async (command: string, ...args: string[]) => {
      const [theirs, ours] = await ask(command, ...args)
      expect(ours.split('\n').sort(), `${command} ${args}`).toEqual(theirs.split('\n').sort())
    }
    await lines('dpctl/dump-conntrack')
    await lines('dpctl/dump-conntrack', '-m')
    await lines('dpctl/dump-conntrack', 'zone=4')
    await lines('dpctl/dump-conntrack', 'zone=5')
    await lines('dpctl/ct-stats-show')
    await lines('dpctl/ct-stats-show', 'zone=3')
    await lines('dpctl/ct-get-nconns')
    await same('dpctl/flush-conntrack', 'zone=4')
    await lines('dpctl/dump-conntrack')
    const tuple = 'ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=17,ct_tp_src=8,ct_tp_dst=9'
    await same('dpctl/flush-conntrack', 'zone=3', tuple)
    await lines('dpctl/dump-conntrack')
    await same('dpctl/flush-conntrack')
    await lines('dpctl/ct-get-nconns')
    await ovs.ofctl('--strict', 'del-flows', 'br1', 'priority=30,ip,in_port=1')
    await ovs.ofctl('--strict', 'del-flows', 'br1', 'priority=30,ipv6,in_port=1')
    lab.commands.flowMod(
      'br1',
      ['priority=30,ip,in_port=1', 'priority=30,ipv6,in_port=1'].map((flow) =>
        parseFlowLine(flow, undefined, 'delete_strict'),
      ),
      true,
    )
  })

  test('fragments that wait for ct(): put together, too small, or of a version that is not', async () => {
    const flows = [
      'priority=40,ip,in_port=1,actions=ct(table=7)',
      'priority=40,ipv6,in_port=1,actions=ct(table=7)',
      'table=7,ct_state=+inv,actions=set_field:00:00:00:00:00:77->eth_dst,output:2',
      'table=7,ct_state=-inv,actions=output:2',
    ]
    await ovs.ofctlInput(flows.join('\n'), 'add-flows', 'br1', '-')
    const mods = flows.map((flow) => parseFlowLine(flow))
    lab.commands.flowMod('br1', mods, true)
    const meet = async (frame: string) => {
      await ovs.sent()
      lab.drain()
      expect(await ask('netdev-dummy/receive', 'p11', frame)).toEqual(['', ''])
      await ovs.settle()
      // br0 has it from pb; a station that it does not know tells an invalid packet.
      const hex = (frames: readonly { port: string; frame: Uint8Array }[]) =>
        frames.map((sent) => `${sent.port} ${Buffer.from(sent.frame).toString('hex')}`).sort()
      const ours = lab.drain().filter(({ port }) => !port.startsWith('br'))
      expect(hex(ours)).toEqual(hex(await ovs.sent()))
    }
    const [first, last, small] = [fragment(0, 1400, true), fragment(1400, 600, false), fragment(0, 800, true)]
    await meet(small)
    await meet(first)
    await same('dpctl/ipf-get-status')
    await meet(last)
    await same('dpctl/ipf-get-status')
    await same('dpctl/ipf-set-min-frag', 'v4', '600')
    await meet(small.replace('0001', '0002'))
    await same('dpctl/ipf-get-status')
    await same('dpctl/ipf-set-disabled', 'v4')
    await meet(first.replace('0001', '0003'))
    await same('dpctl/ipf-get-status')
    await same('dpctl/ipf-set-enabled', 'v4')
    await ovs.ofctl('del-flows', 'br1', 'table=7')
    await ovs.ofctl('--strict', 'del-flows', 'br1', 'priority=40,ip,in_port=1')
    await ovs.ofctl('--strict', 'del-flows', 'br1', 'priority=40,ipv6,in_port=1')
    for (const mod of mods) lab.commands.flowMod('br1', [{ ...mod, command: 'delete_strict' }], true)
  })

  /** A fragment of a UDP datagram over IPv4, its identification 1. */
  function fragment(offset: number, length: number, more: boolean): string {
    const frame = Buffer.alloc(34 + length, 0x11)
    frame.write(
      '505400000002505400000001' + '0800' + '4500' + '0000' + '0001' + '0000' + '4011' + '0000',
      'hex',
    )
    frame.write('0a0000010a000002', 26, 'hex')
    frame.writeUInt16BE(20 + length, 16)
    frame.writeUInt16BE((more ? 0x2000 : 0) | (offset >>> 3), 20)
    if (offset === 0) frame.write('00080009' + '07d0' + '0000', 34, 'hex')
    fillChecksum(frame, 14)
    return frame.toString('hex')
  }

  test('flows that stand for the very same headers, and a limit to flows', async () => {
    await same('revalidator/purge')
    await same('upcall/disable-megaflows')
    for (const dst of [1, 2, 3]) {
      await ask(
        'netdev-dummy/receive',
        'p11',
        `${ETH},eth_type(0x0800),ipv4(${IP},proto=17,tos=0,ttl=64,frag=no),udp(src=8,dst=${dst})`,
      )
    }
    await ovs.settle()
    const [theirs, ours] = await ask('dpif/dump-flows', 'br1')
    // What no packet brings along, Open vSwitch has among them, too.
    const headers = (text: string) =>
      comparable(text.replace(/^skb_priority.*?(?=recirc_id)/gm, '').replace(/dp_hash\(0\),/g, ''))
    expect(headers(ours)).toEqual(headers(theirs))
    await same('upcall/enable-megaflows')
    await registry.run('upcall/set-flow-limit', ['2'])
    for (const [port, flow] of FLOWS) await registry.run('netdev-dummy/receive', [port, flow])
    expect(await registry.run('upcall/show', [])).toContain(
      'flows         : (current 2) (avg 2) (max 2) (limit 2)',
    )
    await registry.run('upcall/set-flow-limit', ['100000'])
  })

  test('traces of bridges and of the datapath', async () => {
    const flows =
      'priority=7,ip,in_port=1,actions=dec_ttl,resubmit(,1)\ntable=1,udp,actions=output:2\ntable=1,tcp,actions=drop'
    await ovs.ofctlInput(flows, 'add-flows', 'br1', '-')
    lab.commands.flowMod(
      'br1',
      flows.split('\n').map((flow) => parseFlowLine(flow)),
      true,
    )
    const UDP = 'in_port=1,udp,dl_src=50:54:00:00:00:05,dl_dst=50:54:00:00:00:02,nw_src=1.2.3.4,nw_ttl=64'
    for (const args of [
      ['br1', UDP],
      ['br1', UDP.replace('in_port=1', 'in_port=p11')],
      ['br1', UDP, '--names'],
      ['br1', UDP, '-generate'],
      ['br1', 'in_port=1,tcp,nw_ttl=64'],
      ['br1', 'in_port=1'],
      ['br1', 'in_port=1', '5054000000025054000000051234'],
      ['in_port(11),eth(src=50:54:00:00:00:05,dst=50:54:00:00:00:02),eth_type(0x1234)'],
      [
        'ovs-dummy',
        'in_port(1),eth(src=50:54:00:00:00:01,dst=50:54:00:00:00:02),eth_type(0x0800),ipv4(proto=17,frag=no),udp(src=1,dst=2)',
      ],
    ]) {
      const [theirs, ours] = await ask('ofproto/trace', ...args)
      expect(trace(ours), args.join(' ')).toBe(trace(theirs))
    }
    for (const actions of ['output:2', 'set_field:1.1.1.1->nw_src,table', 'output:2,output:1']) {
      const [theirs, ours] = await ask('ofproto/trace-packet-out', 'br1', UDP, actions)
      expect(trace(ours), actions).toBe(trace(theirs))
    }
  })

  test('flows put into the datapath by hand', async () => {
    // Open vSwitch would soon look whether the rules agree with them, and does so when all flows have gone.
    await ovs.appctl('time/stop')
    await same('dpctl/del-flows')
    await ovs.appctl('revalidator/wait')
    const key = (n: number, rest = '') =>
      `in_port(11),packet_type(ns=0,id=0),eth(src=00:00:00:00:00:0${n}),eth_type(0x1234)${rest}`
    const file = ovs.path('flows')
    await writeFile(
      file,
      [
        '# nothing',
        `${key(5)} 2`,
        `add ${key(6).replace('11', 'p11')} 2`,
        `mod ${key(6)} 3`,
        `del ${key(5)}`,
        '',
        'foo in_port(1) 2',
        'in_port(1),eth()',
      ].join('\n'),
    )
    for (const line of [
      `add-flow ${key(1)} 2`,
      `add-flow ${key(1)} 2`,
      `add-flow -s ${key(2)} drop`,
      `mod-flow ${key(1)} 3`,
      `mod-flow ${key(3)} 3`,
      `mod-flow --may-create ${key(3)} 3`,
      `mod-flow --clear ${key(3)} 2`,
      'add-flow in_port(1) foo',
      'add-flow in_port(1),foo 2',
      'add-flow in_port(px) 2',
      'add-flow none in_port(11) 2',
      'del-flow in_port(px)',
      `del-flow -s ${key(3)}`,
      `del-flow ${key(3)}`,
      'del-flow ufid:00000000-0000-0000-0000-000000000001',
      'get-flow ufid:00000000-0000-0000-0000-000000000009',
      `add-flow ufid:00000000-0000-0000-0000-000000000007,${key(4)} 1`,
      'get-flow ufid:00000000-0000-0000-0000-000000000007',
      `add-flows ${file}`,
      `mod-flows ${file}`,
      `del-flows ${file}`,
    ]) {
      const [command, ...args] = line.split(' ')
      await same(`dpctl/${command}`, ...args)
    }
    const dump = async (...args: string[]) => {
      const [theirs, ours] = await ask('dpctl/dump-flows', ...args)
      expect(comparable(ours), args.join(' ')).toEqual(comparable(theirs))
    }
    await dump()
    await dump('filter=in_port=p11,dl_src=00:00:00:00:00:01')
    await dump('filter=foo')
    await dump('pmd=-1')
    await dump('type=tc')
    await dump('dummy@ovs-dummy', 'type=ovs')
    await same('dpctl/del-flows')
    await ovs.appctl('revalidator/wait')
    await dump()
    await carriedByHand()
  })

  /** What actions of the datapath make of frames. */
  async function carriedByHand() {
    const l3 = 'eth_type(0x0800),ipv4(proto=17,frag=no),udp()'
    const from = 'recirc_id(0),in_port(11),packet_type(ns=0,id=0),eth()'
    const udp = `${ETH},eth_type(0x0800),ipv4(${IP},proto=17,tos=0,ttl=64,frag=no),udp(src=8,dst=9)`
    const v6 = `${ETH},eth_type(0x86dd),ipv6(${V6},label=0,proto=6,tclass=0,hlimit=128,frag=no),tcp(src=80,dst=81),tcp_flags(psh|ack)`
    for (const [flow, actions, frame] of [
      [l3, 'set(eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02)),2,1', udp],
      [l3, 'push_vlan(vid=3,pcp=2),2,pop_vlan,1', udp],
      [l3, 'set(ipv4(src=9.9.9.9,dst=8.8.8.8,tos=0x20,ttl=3)),set(udp(src=1,dst=2)),1', udp],
      [l3, 'trunc(40),1,2', udp],
      [l3, 'clone(set(eth(dst=00:00:00:00:00:09)),1),2', udp],
      [l3, 'check_pkt_len(size=100,gt(1),le(2))', udp],
      ['eth_type(0x86dd),ipv6(proto=6,frag=no),tcp()', 'set(ipv6(src=::1,hlimit=3)),set(tcp(dst=7)),1', v6],
      ['eth_type(0x0806),arp()', 'set(arp(sip=1.2.3.4,tip=4.3.2.1,op=2)),1', FLOWS[9]![1]],
    ] as const) {
      await same('dpctl/add-flow', `${from},${flow}`, actions)
      await ovs.sent()
      lab.drain()
      for (let i = 0; i < 2; i++) {
        expect(await ask('netdev-dummy/receive', 'p11', frame)).toEqual(['', ''])
        await ovs.settle()
      }
      const hex = (frames: readonly { port: string; frame: Uint8Array }[]) =>
        frames.map(({ port: name, frame: sent }) => `${name} ${Buffer.from(sent).toString('hex')}`).sort()
      const sent = hex(lab.drain())
      expect(sent, actions).toEqual(hex(await ovs.sent()))
      expect(sent, actions).not.toEqual([])
      const [theirs, ours] = await ask('dpctl/dump-flows')
      // An output that cuts its packet is one of a copy.
      expect(comparable(ours.replace('clone(trunc(40),1)', 'trunc(40),1')), actions).toEqual(
        comparable(theirs),
      )
      await same('dpctl/del-flow', `${from},${flow}`)
    }
  }

  test('a trace that is told the states of connections', async () => {
    const flows = [
      'priority=50,udp,in_port=1,actions=ct(table=8)',
      'table=8,ip,ct_state=+trk+new,actions=ct(commit,table=9)',
      'table=8,ip,ct_state=+trk+est,actions=output:2',
      'table=9,ct_state=+rel,actions=drop',
    ]
    const mods = flows.map((flow) => parseFlowLine(flow))
    lab.commands.flowMod('br1', mods, true)
    const traced = (...states: string[]) =>
      registry.run('ofproto/trace', [
        'br1',
        'in_port=1,udp',
        ...states.flatMap((state) => ['--ct-next', state]),
      ])
    expect(await traced('trk,est')).toMatch(/\n 8\. ct_state=\+est\+trk,ip, priority 32768\n {4}output:2\n/)
    expect(await traced('trk,new', 'trk,rel')).toMatch(
      /\n 8\. ct_state=\+new\+trk,ip[\s\S]*\n 9\. ct_state=\+rel,/,
    )
    expect(await traced('trk,new', 'trk,est')).toContain('\n 9. No match.\n')
    // What a flow has learned of its connection on the way is no part of what its packets are looked up by.
    const udp = `${ETH},eth_type(0x0800),ipv4(${IP},proto=17,tos=0,ttl=64,frag=no),udp(src=8,dst=9)`
    for (let i = 0; i < 2; i++) await registry.run('netdev-dummy/receive', ['p11', udp])
    const dump = await registry.run('dpctl/dump-flows', ['filter=in_port=p11'])
    expect(dump).toContain('udp(src=8,dst=9)')
    expect(dump).not.toContain('ct_state')
    for (const mod of mods) lab.commands.flowMod('br1', [{ ...mod, command: 'delete_strict' }], true)
  })

  /** Open vSwitch learns from what it traces, and makes actions in another order than it promised. */
  function trace(text: string): string {
    return text
      .replace(/^ *-> learned that .*\n/gm, '')
      .replace(
        /^(Datapath actions: )(.*)$/m,
        (_all, title: string, actions: string) => title + actions.split(',').sort(),
      )
  }

  /** Lines in order; a flood goes to ports in no order that anybody has promised. */
  function comparable(text: string): string[] {
    return (
      text
        .split('\n')
        .map((line) => line.replace(/used:[\d.]+s/, 'used:0.0s'))
        // In the place of flags Open vSwitch keeps the types of options of neighbour discovery.
        .map((line) => (line.includes('eth_type(0x86dd)') ? line.replace(/, flags:[^,]*/, '') : line))
        .map((line) =>
          line.replace(/actions:(.*)/, (_all, actions: string) => `actions:${actions.split(',').sort()}`),
        )
        .sort()
    )
  }
})
