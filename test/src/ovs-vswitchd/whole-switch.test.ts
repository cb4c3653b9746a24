/**
 * Whole switches, as the tests of Open vSwitch try them: ovs-vsctl, ovs-ofctl and ovs-appctl, unmodified, against its
 * own daemons and against ours in their place. What they answer is the same.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OpenVswitch, type OvsSent } from '../../support/ovs.ts'
import { until } from '../../support/until.ts'

const OURS = join(import.meta.dirname, '../../../bin/openvswitch')

let theirs: OpenVswitch
let ours: OpenVswitch

beforeAll(async () => {
  ;[theirs, ours] = await Promise.all([OpenVswitch.start(), OpenVswitch.start(OURS)])
})

afterAll(() => Promise.all([theirs?.stop(), ours?.stop()]))

/** Does the same with both, and expects the same of both. */
async function both<T>(
  action: (ovs: OpenVswitch) => Promise<T>,
  comparable: (result: T) => unknown = (r) => r,
) {
  const [their, our] = await Promise.all([action(theirs), action(ours)])
  expect(comparable(our)).toEqual(comparable(their))
  return our
}

const appctl = (...args: string[]) =>
  both((ovs) => ovs.appctl(...(args as [string])).then(text, refusal), anyOrder)
const vsctl = (...args: string[]) => both((ovs) => ovs.vsctl(...args))
const ofctl = (...args: string[]) => both((ovs) => ovs.ofctl(...args), anyOrder)
const send = (port: string, frame: string) =>
  both(
    (ovs) => ovs.send(port, Buffer.from(frame, 'hex')),
    (sent) => sent.map(line).sort(),
  )

const text = (answer: string) => answer
const refusal = (error: Error) => `refused: ${error.message}`
const line = ({ port, frame }: OvsSent) => `${port} ${Buffer.from(frame).toString('hex')}`

/** Lines, and ports that a flood means, are in no order that anybody has promised; times are not the same. */
function anyOrder(answer: string): string[] {
  return (
    answer
      .split('\n')
      .map((l) => l.replace(/(duration|used|idle_age|hard_age)([=:])[\d.]+s?/g, '$1$2N'))
      // We know how many frames dummies have lost: none.
      .map((l) => l.replace('drop=?, errs=?', 'drop=0, errs=0'))
      // Ages of addresses: seconds do not matter, and on a busy machine many do not.
      .map((l) =>
        l.replace(
          /(:[0-9a-f]{2} +)(\d+)$/,
          (_all, before: string, age: string) => before + Math.round(Number(age) / 60),
        ),
      )
      .map((l) =>
        l.replace(/actions:(.*)/, (_all, actions: string) => `actions:${actions.split(',').sort()}`),
      )
      .filter((l) => !l.startsWith('flow-dump from'))
      .sort()
  )
}

const mac = (n: number) => `50540000000${n}`
/** A UDP datagram from one station to another. */
const udp = (from: number, to: number, tag = '') =>
  `${mac(to)}${mac(from)}${tag}08004500001c000000004011b2d1c0a80001c0a80002000800090008 0000`.replaceAll(
    ' ',
    '',
  )
const BROADCAST_ARP =
  `ffffffffffff${mac(1)}0806000108000604000150540000000 1c0a80001000000000000c0a80002`.replaceAll(' ', '')

/** The number that a port has in the datapath is changed under its stations, flows and captures. */
async function portsRenumbered() {
  for (const args of [
    'ovs-dummy p2 9',
    'ovs-dummy p2 9',
    'ovs-dummy p2 1',
    'ovs-dummy p2 0',
    'ovs-dummy p2 x',
    'ovs-dummy p2 4294967295',
    'ovs-dummy p2 12x',
    'ovs-dummy br0 33',
    'ovs-dummy none 9',
    'dummy@ovs-dummy p2 9',
    'none p2 9',
    'ovs-dummy p2',
  ]) {
    await appctl('dpif-dummy/change-port-number', ...args.split(' '))
  }
  await appctl('revalidator/wait')
  await appctl('revalidator/purge')
  await appctl('dpif/show')
  await appctl('dpctl/show')
  await appctl('fdb/show', 'br0')
  await send('p1', udp(1, 2))
  await send('p2', udp(2, 1))
  await send('p5', udp(5, 9, '8100000b'))
  await appctl('dpctl/dump-flows')
  await appctl('fdb/stats-show', 'br0')
  await appctl('dpif-dummy/change-port-number', 'ovs-dummy', 'p2', '2')
  await appctl('dpif-dummy/change-port-number', 'ovs-dummy', 'br0', '100')
  await appctl('revalidator/wait')
  await appctl('revalidator/purge')
}

test('a learning switch with VLANs: who is where, statistics, flows of the datapath', async () => {
  await both((ovs) => ovs.addBridge('br0', { ports: ['p1', 'p2'], failMode: 'standalone' }))
  await both((ovs) => ovs.addPort('br0', 'p3', 3, 'tag=10'))
  await both((ovs) => ovs.addPort('br0', 'p4', 4, 'tag=10'))
  await both((ovs) => ovs.addPort('br0', 'p5', 5, 'trunks=[10,20]'))
  await appctl('dpif/show')
  await appctl('dpctl/show')
  await send('p1', BROADCAST_ARP)
  await send('p2', udp(2, 1))
  await send('p3', udp(3, 4))
  await send('p4', udp(4, 3))
  await send('p5', udp(5, 3, '8100000a'))
  await appctl('revalidator/purge')
  for (let i = 0; i < 3; i++) {
    await send('p1', udp(1, 2))
    await send('p3', udp(3, 4))
    await send('p4', udp(4, 5))
    await send('p5', udp(5, 4, '8100000a'))
    await send('p5', udp(5, 4, '8100000b'))
  }
  await appctl('fdb/show', 'br0')
  await appctl('fdb/stats-show', 'br0')
  await appctl('dpctl/dump-flows')
  await appctl('dpif/dump-flows', 'br0')
  await appctl('revalidator/wait')
  await ofctl('dump-ports', 'br0', 'p1')
  await ofctl('dump-flows', 'br0')
  await portsRenumbered()
  await appctl('fdb/flush', 'br0')
  await appctl('fdb/show', 'br0')
  await vsctl(
    '--columns=name,ofport,admin_state,link_state,type,error',
    '--format=json',
    'list',
    'interface',
    'p3',
  )
})

test('rules over two bridges with a patch between them', async () => {
  await both((ovs) => ovs.addBridge('br1', { ports: ['p11', 'p12'] }))
  await vsctl(
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
      'ofport_request=3',
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
      'ofport_request=9',
    ],
  )
  const flows = [
    'table=0,priority=10,udp,in_port=p11,actions=dec_ttl,resubmit(,1)',
    'table=0,in_port=pa,actions=output:p11',
    'table=1,nw_dst=192.168.0.2,udp,actions=mod_vlan_vid:20,output:pa',
    'table=1,nw_dst=192.168.0.3,udp,actions=drop',
  ].join('\n')
  await both((ovs) => ovs.ofctlInput(flows, 'add-flows', 'br1', '-'))
  await send('p11', udp(6, 5).replace('40114b2d1', '4011'))
  await send('p11', udp(6, 5))
  await send('p11', udp(6, 5))
  await appctl('revalidator/wait')
  await ofctl('dump-flows', 'br1')
  await ofctl('dump-aggregate', 'br1')
  await appctl('ofproto/trace', 'br1', 'in_port=p12')
  await appctl('ofproto/trace', 'br1', 'in_port=p11,udp,nw_dst=192.168.0.3,nw_ttl=7')
  await appctl('dpif/show')
})

test('time stands still and is warped: rules and addresses time out', async () => {
  // Flows that are left from before would let nobody be learned.
  await appctl('revalidator/purge')
  await appctl('time/stop')
  await ofctl('add-flow', 'br1', 'table=2,idle_timeout=5,actions=drop')
  await ofctl('add-flow', 'br1', 'table=3,hard_timeout=20,actions=drop')
  await send('p1', udp(1, 2))
  await appctl('fdb/show', 'br0')
  await appctl('time/warp', '8000', '500')
  await ofctl('dump-flows', 'br1', 'table=2')
  await ofctl('dump-flows', 'br1', 'table=3')
  await appctl('time/warp', '32000', '1000')
  await ofctl('dump-flows', 'br1', 'table=3')
  await appctl('fdb/show', 'br0')
  await appctl('time/warp', '300000', '10000')
  await appctl('fdb/show', 'br0')
})

test('ports that are taken down, and ports joined by a stream', async () => {
  await appctl('netdev-dummy/set-admin-state', 'p2', 'down')
  await send('p1', BROADCAST_ARP)
  await appctl('netdev-dummy/set-admin-state', 'p2', 'up')
  await send('p1', BROADCAST_ARP)
  await both(async (ovs) => {
    const wire = ovs.path('wire')
    await ovs.addBridge('br2', { ports: ['p21'], failMode: 'standalone' })
    await ovs.vsctl('set', 'interface', 'p21', `options:pstream=punix:${wire}`)
    await ovs.vsctl('set', 'interface', 'p12', `options:stream=unix:${wire}`)
    await ovs.ofctl('add-flow', 'br1', 'priority=20,in_port=p11,actions=output:p12')
  })
  await appctl('netdev-dummy/conn-state', 'p21')
  for (const ovs of [theirs, ours]) {
    await until(
      async () => (await ovs.appctl('netdev-dummy/conn-state', 'p12')).includes(': connected'),
      'p12 and p21 are connected',
    )
    await ovs.send('p11', Buffer.from(udp(7, 8), 'hex'))
    const learned = async () => (await ovs.appctl('fdb/show', 'br2')).includes('50:54:00:00:00:07')
    await until(learned, 'the frame has come by the stream')
  }
})

test('nothing was wrong, and nothing is said to be', async () => {
  expect(await ours.log()).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z\|00001\|vlog\|INFO\|opened log file .*\n/)
  expect(await ours.log()).not.toMatch(/\|(WARN|ERR|EMER)\|/)
})
