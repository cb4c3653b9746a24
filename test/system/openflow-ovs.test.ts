/**
 * The same flows, given by ovs-ofctl to a real Open vSwitch and in the same words to our engine, and the same
 * frames: each frame must leave both by the same ports with the same bytes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../../protocols/random.ts'
import { RefPacket } from '../reference/openflow-packet.ts'
import { hex, splitTags } from '../support/frames.ts'
import { Cases } from '../support/openflow-cases.ts'
import { ENCAP_FAMILIES, type EncapFamily } from '../support/openflow-encap-families.ts'
import { FAMILIES } from '../support/openflow-families.ts'
import { OpenflowLab } from '../support/openflow-lab.ts'
import { flowText } from '../support/openflow-text.ts'
import { OvsSwitch } from '../support/ovs-openflow.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const FRAMES = 120
const ROUNDS = 25

let ovs: OvsSwitch
beforeAll(async () => {
  ovs = await OvsSwitch.start(PORTS)
})
afterAll(() => ovs.stop())

const OPTIONS = { ports: PORTS.length, tables: 4, normal: false, groups: 0, laterFragments: false }

/** With a tag at the most, so that another can be pushed: two are what both can see. */
const fewTags = (frame: Uint8Array): boolean => splitTags(frame).tags.length < 2

describe('flows of every family', () => {
  const families: readonly EncapFamily[] = [...FAMILIES, ...ENCAP_FAMILIES]
  it.each(families)('$name', async ({ flows, groups, version, uncached, wrap }) => {
    const ours = new OpenflowLab(PORTS)
    await ovs.clear()
    for (const group of groups ?? []) await ovs.ofctl('add-group', group)
    if (groups !== undefined) ours.groups(groups)
    await ovs.flows(flows, version)
    ours.flows(flows)
    const cases = new Cases(seededRandom(77), OPTIONS)
    let delivered = 0
    for (let n = 0; n < FRAMES; ) {
      const plain = cases.frame()
      if (!fewTags(plain) || (wrap !== undefined && splitTags(plain).tags.length > 0)) continue
      const frame = wrap === undefined ? plain : wrap(plain, n)
      const port = 1 + (n++ % PORTS.length)
      if (uncached) await ovs.forgetCached()
      const expected = await ovs.send(port, frame)
      expect(ours.send(port, frame), `frame ${n}, port ${port}: ${hex(frame)}`).toEqual(expected)
      delivered += expected.length
    }
    expect(delivered).toBeGreaterThan(0)
  })
})

it('random flows', async () => {
  let delivered = 0
  for (let round = 0; round < ROUNDS; round++) {
    const cases = new Cases(seededRandom(500 + round), OPTIONS)
    const flows = Array.from({ length: 30 }, (_, i) => ({ ...cases.flow(), priority: 100 + i }))
    const ours = new OpenflowLab(PORTS)
    await ovs.clear()
    await ovs.add(flows)
    ours.flows(flows.map(flowText))
    for (let n = 0; n < 25; n++) {
      const frame = cases.frame()
      const port = 1 + cases.below(PORTS.length)
      if (!fewTags(frame)) continue
      const expected = await ovs.send(port, frame)
      const hint = () => `seed ${500 + round}, port ${port}: ${hex(frame)}\n${flows.map(flowText).join('\n')}`
      expect(ours.send(port, frame), hint()).toEqual(expected)
      delivered += expected.length
    }
    const counters = await ovs.counters()
    for (const [key, count] of ours.counters())
      expect(`${key}: ${count}`).toBe(`${key}: ${counters.get(key)}`)
  }
  expect(delivered).toBeGreaterThan(300)
}, 120_000)

/** A UDP datagram, or TCP with flags, between 10.0.0.1 (a) and 10.0.0.2 (b). */
function talk(from: 'a' | 'b', ports: readonly [number, number], flags?: number): Uint8Array {
  const [src, dst] = from === 'a' ? [1, 2] : [2, 1]
  const two = (n: number) => [n >> 8, n & 0xff]
  const transport =
    flags === undefined
      ? [...two(ports[0]), ...two(ports[1]), 0, 12, 0, 1, 1, 2, 3, 4]
      : [...two(ports[0]), ...two(ports[1]), 0, 0, 0, 1, 0, 0, 0, 1, 0x50, flags, 4, 0, 0, 0, 0, 0]
  const ip = [0x45, 0, ...two(20 + transport.length), 0, 1, 0, 0, 64, flags === undefined ? 17 : 6, 0, 0]
  const addresses = [10, 0, 0, src, 10, 0, 0, dst]
  const ethernet = [2, 0, 0, 0, 0, dst, 2, 0, 0, 0, 0, src, 8, 0]
  return new RefPacket([...ethernet, ...ip, ...addresses, ...transport], 0).fix().bytes
}

it('connection tracking: new, established, replies, marks and zones', async () => {
  const flows = [
    'table=0,priority=1,ip,actions=ct(table=1)',
    'table=0,priority=2,in_port=3,ip,actions=ct(table=1,zone=9)',
    'table=1,in_port=1,ct_state=+trk+new,ip,actions=ct(commit,exec(set_field:7->ct_mark)),output:2',
    'table=1,in_port=1,ct_state=+trk+est,ip,actions=output:2,output:4',
    'table=1,priority=40000,in_port=2,ct_state=+trk+est+rpl,ct_mark=7,ip,actions=output:1',
    'table=1,in_port=2,ct_state=+trk+new,ip,actions=output:3',
    'table=1,in_port=3,ct_state=+trk+new,ip,actions=output:4,output:1',
    'table=1,in_port=3,ct_state=+trk+est,ip,actions=output:2',
  ]
  const ours = new OpenflowLab(PORTS)
  await ovs.clear()
  await ovs.ovs.appctl('dpctl/flush-conntrack')
  await ovs.flows(flows)
  ours.flows(flows)
  const packets: [number, Uint8Array][] = [
    [2, talk('b', [53, 1000])],
    [1, talk('a', [1000, 53])],
    [2, talk('b', [53, 1000])],
    [1, talk('a', [1000, 53])],
    [3, talk('a', [1000, 53])],
    [2, talk('b', [54, 1000])],
    [1, talk('a', [2000, 80], 0x02)],
    [2, talk('b', [80, 2000], 0x12)],
    [1, talk('a', [2000, 80], 0x10)],
    [2, talk('b', [80, 2000], 0x10)],
    [3, talk('a', [2000, 80], 0x10)],
  ]
  let delivered = 0
  for (const [i, [port, frame]] of packets.entries()) {
    const expected = await ovs.send(port, frame)
    expect(ours.send(port, frame), `packet ${i}`).toEqual(expected)
    delivered += expected.length
  }
  expect(delivered).toBeGreaterThan(packets.length)
})

it('connection tracking: addresses translated there and back', async () => {
  const flows = [
    'table=0,in_port=1,ip,actions=ct(commit,table=1,nat(src=10.9.9.9))',
    'table=0,in_port=2,ip,actions=ct(table=1,nat)',
    'table=0,in_port=3,udp,actions=ct(commit,table=1,zone=5,nat(dst=10.8.8.8:5353))',
    'table=0,in_port=4,udp,actions=ct(table=1,zone=5,nat)',
    'table=1,in_port=1,actions=output:2',
    'table=1,in_port=2,ct_state=+rpl,actions=output:1',
    'table=1,in_port=2,ct_state=-rpl,actions=output:3',
    'table=1,in_port=3,actions=output:4',
    'table=1,in_port=4,actions=output:3',
  ]
  const ours = new OpenflowLab(PORTS)
  await ovs.clear()
  await ovs.ovs.appctl('dpctl/flush-conntrack')
  await ovs.flows(flows)
  ours.flows(flows)
  const to = (frame: Uint8Array, src: bigint, dst: bigint): Uint8Array => {
    const packet = new RefPacket(frame, 0)
    packet.set('nw_src', src, 0xffff_ffffn)
    packet.set('nw_dst', dst, 0xffff_ffffn)
    return packet.bytes
  }
  const [a, b, outside, inside] = [0x0a000001n, 0x0a000002n, 0x0a090909n, 0x0a080808n]
  const packets: [number, Uint8Array][] = [
    [1, talk('a', [1000, 53])],
    [2, to(talk('b', [53, 1000]), b, outside)],
    [2, to(talk('b', [54, 1000]), b, outside)],
    [1, talk('a', [2000, 80], 0x02)],
    [2, to(talk('b', [80, 2000], 0x12), b, outside)],
    [1, talk('a', [2000, 80], 0x10)],
    [3, talk('a', [3000, 53])],
    [4, to(talk('b', [5353, 3000]), inside, a)],
    [3, talk('a', [3000, 53])],
  ]
  let delivered = 0
  for (const [i, [port, frame]] of packets.entries()) {
    const expected = await ovs.send(port, frame)
    expect(ours.send(port, frame), `packet ${i}`).toEqual(expected)
    delivered += expected.length
  }
  expect(delivered).toBe(packets.length)
})

describe('traces of queues', () => {
  const CASES: readonly (readonly [string, ...string[]])[] = [
    ['actions=set_queue:1,output:2,pop_queue,output:3'],
    ['actions=enqueue:2:1,set_queue:7,output:3'],
    ['actions=enqueue:2:1,enqueue:3:1,output:4'],
    ['actions=set_queue:0,output:2'],
    ['actions=set_queue:5,pop_queue'],
    ['actions=set_queue:4294967295,output:2'],
    ['actions=set_queue:4,mod_dl_dst:00:01:02:03:04:05,mod_vlan_vid:7,output:2'],
    ['actions=clone(set_queue:5,output:2),output:3'],
    ['actions=set_queue:5,resubmit(,1),output:2', 'table=1,actions=set_queue:6'],
    ['actions=write_actions(set_queue:5,output:2)'],
    ['actions=output:2'],
  ]
  it.each(CASES)('%s', async (...flows) => {
    const ours = new OpenflowLab(PORTS)
    const frame = new Uint8Array(60).fill(1)
    frame.set([0x88, 0xb5], 12)
    await ovs.clear()
    // From 1.1 on ovs-ofctl makes three actions of enqueue.
    await ovs.flows(flows, flows[0].includes('enqueue') ? 'OpenFlow10' : 'OpenFlow13')
    ours.flows(flows)
    // Datapath actions name ports by numbers of the datapath there, by their names here.
    const names = new Map<string, string>()
    for (const [, name, number] of (await ovs.ovs.appctl('dpif/show')).matchAll(/(p\d) \d+\/(\d+):/g))
      names.set(number, name)
    const said = (lines: readonly string[]) =>
      lines
        .filter((l) => /^Datapath|^Megaflow|queue = 0/.test(l))
        .map((l) => l.trim().replace(/(?<=^Megaflow.*eth,).*|(?<=drop)\(.*/, ''))
    const trace = await ovs.ovs.appctl('ofproto/trace', 'br0', 'in_port=1', hex(frame))
    const expected = said(trace.split('\n')).map((line) =>
      line.startsWith('Datapath') ? line.replaceAll(/(?<=[ ,])\d+(?=,|$)/g, (n) => names.get(n) ?? n) : line,
    )
    expect(said(ours.lab.commands.trace('br0', frame, 1))).toEqual(expected)
  })
})
