/** Our ofctl, controller and trace with our own switch; ofctl beside ovs-ofctl, as in ofctl-ovs.test.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli } from '../src/cli/run-cli.ts'
import { until } from '../support/until.ts'
import { World } from '../support/world.ts'

const VERSIONS = ['OpenFlow10', 'OpenFlow13', 'OpenFlow15']
const CONFIG = {
  bridges: {
    'br-in': {
      failMode: 'secure',
      ipfix: { targets: ['10.0.0.9:4739'] },
      flowSampleCollectorSets: { 7: { targets: ['10.0.0.9'] }, 123: { targets: ['10.0.0.9'] } },
    },
  },
  hosts: Object.fromEntries(
    [1, 2].map((i) => [
      `vm${i}`,
      {
        interfaces: {
          eth0: {
            bridge: 'br-in',
            address: `10.0.0.${i}/24`,
            mac: `02:00:00:00:00:0${i}`,
            qos: {
              type: 'linux-htb',
              maxRate: 10_000_000,
              queues: { 3: { minRate: 1_230_000 }, 1: { maxRate: 5_000_000 } },
            },
          },
        },
      },
    ]),
  ),
}

let world: World
beforeAll(async () => {
  world = await World.create()
  await world.start(CONFIG)
})
afterAll(() => world.close())

async function ours(...args: string[]): Promise<string> {
  const { code, out, err } = await runCli(['ofctl', '--rundir', world.path('/run/openvswitch'), ...args])
  expect(err).toBe('')
  expect(code).toBe(0)
  return out
}

/** Without time, transaction ids and what traffic that nobody ordered (IPv6) counts. */
function timeless(text: string): string {
  return text
    .replaceAll(/(duration[=:])[0-9.]+s/g, '$1s')
    .replaceAll(/xid=0x[0-9a-f]+/g, 'xid')
    .replaceAll(
      /(_age|n_packets|n_bytes|pkts|bytes|drop|lookup|matched|packet_count|byte_count|flows|ok|errs)=\d+/g,
      '$1',
    )
}

const ALL = [
  'show',
  'dump-desc',
  'dump-ports',
  'dump-ports-desc',
  'dump-tables',
  'dump-flows',
  'dump-aggregate',
  'get-frags',
  'dump-groups',
  'queue-stats',
  'queue-get-config',
  'dump-ipfix-bridge',
  'dump-ipfix-flow',
]

describe.each(VERSIONS)('%s', (version) => {
  test('it is told alike', async () => {
    await ours('del-flows', 'br-in')
    await ours(
      '-O',
      version,
      'add-flow',
      'br-in',
      'priority=9,tcp,nw_dst=10.0.0.2,tp_dst=80,actions=mod_nw_tos:32,output:2',
    )
    await ours('-O', version, 'add-flow', 'br-in', 'in_port=vm1.eth0,arp,actions=NORMAL')
    for (const command of ALL) {
      const theirs = timeless(await world.ok(['ovs-ofctl', '-O', version, command, 'br-in']))
      expect(timeless(await ours('-O', version, command, 'br-in'))).toBe(theirs)
    }
    for (const queue of [['2'], ['2', '3'], ['any', '1']]) {
      const args = ['-O', version, 'queue-get-config', 'br-in', ...queue]
      expect(timeless(await ours(...args))).toBe(timeless(await world.ok(['ovs-ofctl', ...args])))
    }
    await ours('-O', version, 'del-flows', 'br-in', 'tcp')
    expect(await ours('--no-stats', 'dump-flows', 'br-in')).toBe(' arp,in_port=1 actions=NORMAL\n')
  })
})

test('flows that it adds carry traffic', async () => {
  await ours('del-flows', 'br-in')
  expect((await world.exec(['ip', 'netns', 'exec', 'vm1', 'ping', '-c1', '-W1', '10.0.0.2'])).code).toBe(1)
  await ours('--bundle', 'add-flow', 'br-in', 'actions=NORMAL')
  await world.ok(['ip', 'netns', 'exec', 'vm1', 'ping', '-c1', '-W5', '10.0.0.2'])
})

test('a trace tells what becomes of a packet', async () => {
  await ours('del-flows', 'br-in')
  await ours('add-flow', 'br-in', 'priority=7,icmp,actions=resubmit(,3)')
  await ours('add-flow', 'br-in', 'table=3,actions=output:2')
  const flow = 'in_port=vm1.eth0,icmp,nw_src=10.0.0.1,nw_dst=10.0.0.2'
  const traced = await world.cli(['trace', 'br-in', flow])
  expect(traced.code).toBe(0)
  expect(traced.stdout).toContain('bridge("br-in")')
  expect(traced.stdout).toMatch(/^ 0\. icmp, priority 7$/m)
  expect(traced.stdout).toMatch(/^ +3\. priority 32768$/m)
  expect(traced.stdout).toContain('output:2')
  const wrong = await world.cli(['trace', 'br-out', flow])
  expect(wrong.code).toBe(2)
  expect(wrong.stderr).toContain('There is no bridge "br-out".')
  expect((await world.cli(['trace', 'br-in', 'icmp'])).stderr).toContain('The flow does not say in_port.')
  expect((await world.cli(['trace', 'br-in', 'in_port=1,icmq'])).stderr).toContain('icmq')
})

test('our controller controls it', async () => {
  await ours('del-flows', 'br-in')
  const controller = world.spawn([
    new URL('../../bin/vswitchd-ts', import.meta.url).pathname,
    'controller',
    'unix:/run/openvswitch/br-in.mgmt',
  ])
  await controller.waitFor(/connected to switch/)
  await world.ok(['ip', 'netns', 'exec', 'vm1', 'ping', '-c2', '-W5', '10.0.0.2'])
  await until(
    async () => (await ours('--no-stats', 'dump-flows', 'br-in', 'icmp')).includes('actions='),
    'flows appear',
  )
  expect(await controller.stop()).toBe(0)
})

test('it names tables, as ovs-ofctl sees', async () => {
  await ours('-O', 'OpenFlow15', 'mod-table', 'br-in', '7', 'name:seven')
  expect(await world.ok(['ovs-ofctl', 'dump-tables', 'br-in'])).toContain('table 7 ("seven")')
})
