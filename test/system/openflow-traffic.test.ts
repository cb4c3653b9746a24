/** Traffic between hosts follows the flows that ovs-ofctl adds, and the counters tell what it was. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { iperf, iperfServer } from '../support/iperf3.ts'
import { OpenflowNetwork } from '../support/openflow-network.ts'
import { sniff } from '../support/sniffer.ts'
import { until } from '../support/until.ts'

const VERSIONS = ['OpenFlow10', 'OpenFlow11', 'OpenFlow12', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15']
/** Bytes of an Ethernet frame of a ping without options. */
const PING_BYTES = 98
const BOTH_WAYS = [
  'cookie=0x12,icmp,in_port=1,actions=output:2',
  'cookie=0x21,icmp,in_port=2,actions=output:1',
]

let network: OpenflowNetwork
beforeAll(async () => {
  network = await OpenflowNetwork.create()
  await iperfServer(network.world, 'vm2')
})
afterAll(() => network.close())
beforeEach(async () => {
  await network.ofctl('del-flows', 'br0')
})

test.each(VERSIONS)('a flow added by %s lets pings through, counts them, and ends', async (version) => {
  expect(await network.ping(1, 2)).toBe(0)
  await network.flows(BOTH_WAYS, '-O', version)
  expect(await network.ping(1, 2, 30)).toBe(30)
  const text = await network.ofctl('-O', version, 'dump-flows', 'br0')
  expect(text.match(new RegExp(`n_packets=30, n_bytes=${30 * PING_BYTES}, `, 'g'))).toHaveLength(2)
  await network.ofctl('-O', version, '--strict', 'del-flows', 'br0', 'icmp,in_port=2')
  expect(await network.ping(1, 2)).toBe(0)
  expect(await network.counted(0x12)).toEqual({ packets: 31, bytes: 31 * PING_BYTES })
})

test('once the barrier is answered no packet follows an outdated decision', async () => {
  await network.flows(BOTH_WAYS)
  for (let round = 0; round < 3; round++) {
    expect(await network.ping(1, 2, 5)).toBe(5)
    await network.ofctl('--strict', 'mod-flows', 'br0', 'cookie=0x12,icmp,in_port=1,actions=drop')
    expect(await network.ping(1, 2, 5)).toBe(0)
    await network.ofctl('--strict', 'mod-flows', 'br0', 'cookie=0x12,icmp,in_port=1,actions=output:2')
  }
  expect(await network.counted(0x12)).toEqual({ packets: 30, bytes: 30 * PING_BYTES })
  expect(await network.counted(0x21)).toEqual({ packets: 15, bytes: 15 * PING_BYTES })
})

test('the highest priority decides, and only packets that match', async () => {
  await network.flows([
    'priority=1,ip,actions=normal',
    'priority=9,ip,nw_src=10.0.0.1,nw_dst=10.0.0.2,actions=drop',
    'priority=10,icmp,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_tos=0x20,actions=normal',
  ])
  expect(await network.ping(1, 3)).toBe(1)
  expect(await network.ping(1, 2)).toBe(0)
  expect(await network.ping(1, 2, 1, '-Q', '0x20')).toBe(1)
})

test('a bundle replaces flows under traffic: no ping is lost', async () => {
  const other = BOTH_WAYS.map((flow) =>
    flow.replace('icmp', 'priority=7,ip').replace('cookie=0x', 'cookie=0x5'),
  )
  await network.flows(BOTH_WAYS)
  const pings = network.ping(1, 2, 150)
  for (let round = 0; round < 6; round++) {
    const flows = round % 2 === 0 ? other : BOTH_WAYS
    await network.ofctlInput(flows.join('\n'), '-O', 'OpenFlow14', '--bundle', 'replace-flows', 'br0', '-')
  }
  expect(await pings).toBe(150)
  expect(await network.dump()).toEqual([
    'cookie=0x12, icmp,in_port=1 actions=output:2',
    'cookie=0x21, icmp,in_port=2 actions=output:1',
  ])
})

test('diff-flows tells what replace-flows would do', async () => {
  await network.flows(BOTH_WAYS)
  const path = await network.world.file('flows', `${BOTH_WAYS[0]}\ntcp,tp_dst=80,actions=normal\n`)
  const diff = await network.tryOfctl('diff-flows', 'br0', path)
  expect(diff.code).toBe(2)
  expect(diff.stdout).toBe('-icmp,in_port=2 cookie=0x21 actions=output:1\n+tcp,tp_dst=80 actions=NORMAL\n')
  await network.ofctl('replace-flows', 'br0', path)
  expect((await network.tryOfctl('diff-flows', 'br0', path)).code).toBe(0)
})

test('every frame that a port has received is counted by one flow and one lookup, large segments too', async () => {
  await network.flows([
    'cookie=1,in_port=1,ip,actions=output:2',
    'cookie=2,in_port=2,ip,actions=output:1',
    'cookie=3,priority=0,actions=drop',
  ])
  const received = async () => {
    const text = await network.ofctl('dump-ports', 'br0')
    const frames = [...text.matchAll(/: rx pkts=(\d+), bytes=(\d+)/g)]
    const sum = (column: number) => frames.reduce((total, frame) => total + Number(frame[column]), 0)
    return { packets: sum(1), bytes: sum(2) }
  }
  const lookups = async () => {
    const text = await network.ofctl('dump-tables', 'br0')
    const [, looked, matched] = /table 0:\s+active=\d+, lookup=(\d+), matched=(\d+)/.exec(text) ?? []
    return { looked: Number(looked), matched: Number(matched) }
  }
  const counters = async () => ({
    ports: await received(),
    tables: await lookups(),
    flows: await Promise.all([1, 2, 3].map((cookie) => network.counted(cookie))),
  })
  const before = await counters()
  const { sum_received } = await iperf(network.world, 'vm1', '10.0.0.2', ['-n', '40M'])
  // The kernel closes the connections after the program's end: what is compared must have come to rest.
  const after = await until(async () => {
    const now = await counters()
    const { packets } = await received()
    return packets === now.ports.packets && now
  }, 'the last frame')
  const packets = after.flows.reduce((total, c) => total + c.packets, 0)
  // However large segments are.
  expect(packets).toBeGreaterThan(300)
  expect(packets).toBe(after.ports.packets - before.ports.packets)
  expect(after.flows.reduce((total, c) => total + c.bytes, 0)).toBe(after.ports.bytes - before.ports.bytes)
  expect(after.tables.looked - before.tables.looked).toBe(packets)
  expect(after.tables.matched - before.tables.matched).toBe(packets)
  // Not the 40 MiB: what the client had written and not sent when the server closed is thrown away.
  expect(sum_received.bytes).toBeGreaterThan(30 << 20)
  expect(after.flows[0].bytes).toBeGreaterThan(sum_received.bytes)
})

test('idle flows end, busy ones only by their hard timeout; the monitor is told the reasons and counts', async () => {
  const monitor = network.world.spawn(['ovs-ofctl', '-O', 'OpenFlow13', '-v', 'monitor', 'br0', '65534'])
  try {
    await monitor.waitFor(/OFPT_BARRIER_REPLY|OFPT_SET_CONFIG/)
    await network.flows([
      'cookie=1,send_flow_rem,idle_timeout=1,hard_timeout=3,icmp,in_port=1,actions=output:2',
      'cookie=2,send_flow_rem,idle_timeout=1,icmp,in_port=2,actions=output:1',
      'cookie=3,send_flow_rem,udp,in_port=2,actions=output:1',
      'cookie=4,idle_timeout=1,udp,in_port=3,actions=output:1',
    ])
    const busy = network.ping(1, 2, 10, '-i', '0.5')
    const hard = await monitor.waitFor(/FLOW_REMOVED.*reason=hard.*/)
    const answered = await busy
    expect(answered).toBeLessThan(10)
    expect(hard[0]).toMatch(/icmp,in_port=1 reason=hard.*cookie:0x1 .*hard3/)
    expect(hard[0]).toContain(` pkts${answered} bytes${answered * PING_BYTES}`)
    const idle = await monitor.waitFor(/FLOW_REMOVED.*reason=idle.*/)
    const { packets, bytes } = /pkts(?<packets>\d+) bytes(?<bytes>\d+)/.exec(idle[0])!.groups!
    expect(idle[0]).toMatch(/icmp,in_port=2 .*cookie:0x2 .*idle1 /)
    expect(Number(bytes)).toBe(Number(packets) * PING_BYTES)
    await network.ofctl('del-flows', 'br0', 'udp')
    const deleted = await monitor.waitFor(/FLOW_REMOVED.*reason=delete.*/)
    expect(deleted[0]).toMatch(/udp,in_port=2 reason=delete.*cookie:0x3 .*pkts0 bytes0/)
    expect(await network.dump()).toEqual([])
    expect(monitor.output).not.toContain('cookie:0x4')
  } finally {
    await monitor.stop()
  }
})

test('a frame that flows flood reaches all others once, and not where it came from', async () => {
  await network.flows(['in_port=1,udp,actions=flood'])
  const filter = ['udp', 'port', '7777']
  const at = await Promise.all(
    ['vm1', 'vm2', 'vm3'].map((vm) => sniff(network.world, vm, { filter, options: ['-Qin'] })),
  )
  await network.world.sh('for i in 1 2 3; do echo hello > /dev/udp/10.0.0.2/7777; done', { netns: 'vm1' })
  const seen = /(\n|^).*10\.0\.0\.2\.7777: UDP/g
  for (const sniffer of at.slice(1)) await sniffer.saw(/(UDP[\s\S]*){3}/)
  const counts = await Promise.all(
    at.map(async (sniffer) => ((await sniffer.stop()).match(seen) ?? []).length),
  )
  expect(counts).toEqual([0, 3, 3])
})
