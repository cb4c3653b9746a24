/** Connection tracking as the real Open vSwitch does it: the same flows and packets, the same frames out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CtFlush } from '../../protocols/openflow/ct-flush.ts'
import { CONVERSATIONS } from '../support/ct-conversations.ts'
import { addressBytes, fragments, tcp, udp } from '../support/ct-packets.ts'
import { OpenflowLab } from '../support/openflow-lab.ts'
import { OvsSwitch } from '../support/ovs-openflow.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']

let ovs: OvsSwitch
beforeAll(async () => {
  ovs = await OvsSwitch.start(PORTS)
})
afterAll(() => ovs.stop())

async function both(flows: readonly string[]): Promise<OpenflowLab> {
  const ours = new OpenflowLab(PORTS)
  await ovs.clear()
  await ovs.ovs.appctl('dpctl/flush-conntrack')
  await ovs.flows(flows)
  ours.flows(flows)
  return ours
}

describe('conversations', () => {
  it.each(CONVERSATIONS)('$name', async ({ flows, packets, leave }) => {
    const ours = await both(flows)
    let left = 0
    for (const [i, [port, frame]] of packets.entries()) {
      const expected = await ovs.send(port, frame)
      expect(ours.send(port, frame), `packet ${i}`).toEqual(expected)
      left += expected.length
    }
    expect(left).toBe(leave)
  })
})

const DELIVER = [
  'table=0,priority=5,in_port=1,ip,actions=ct(commit,zone=7),output:2',
  'table=0,priority=4,ip,actions=ct(zone=7,table=1)',
  'table=1,ct_state=+est,actions=output:1',
  'table=1,ct_state=-est,actions=output:3',
]

describe('ct-flush', () => {
  const question = (port: number) => udp({ from: ['10.0.0.1', port], to: ['10.0.0.2', 53] })
  const answer = (port: number) => udp({ from: ['10.0.0.2', 53], to: ['10.0.0.1', port] })
  it.each([
    ['a zone', { zone: 7 }, '', ''],
    ['another zone', { zone: 8 }, '', ''],
    ['everything', undefined, '', ''],
    [
      'a whole tuple',
      { zone: 7 },
      'ct_nw_src=10.0.0.1,ct_nw_dst=10.0.0.2,ct_nw_proto=17,ct_tp_src=1001,ct_tp_dst=53',
      '',
    ],
    ['a source port', undefined, 'ct_nw_proto=17,ct_tp_src=1001', ''],
    ['an address of the answers', undefined, '', 'ct_nw_src=10.0.0.2'],
    ['an address of nobody', { zone: 7 }, 'ct_nw_src=10.0.0.3', ''],
    ['another protocol', undefined, 'ct_nw_proto=6', ''],
  ] as const)('%s', async (_, zone, original, reply) => {
    const ours = await both(DELIVER)
    for (const port of [1001, 1002]) {
      expect(ours.send(1, question(port))).toEqual(await ovs.send(1, question(port)))
    }
    const tuples = original === '' && reply === '' ? [] : [original, reply]
    const args = [...(zone === undefined ? [] : [`zone=${zone.zone}`]), ...tuples]
    await ovs.ovs.ofctl('ct-flush', 'br0', ...args)
    ours.lab.commands.ctFlush(zone?.zone, flushMatch(original, reply))
    for (const port of [1001, 1002]) {
      expect(ours.send(2, answer(port)), `port ${port}`).toEqual(await ovs.send(2, answer(port)))
    }
  })
})

/** What ovs-ofctl makes of tuples given in its words. */
function flushMatch(original: string, reply: string): CtFlush {
  const flush: CtFlush = { ipProto: 0, family: 0, zone: undefined, original: {}, reply: {} }
  for (const [tuple, text] of [
    [flush.original, original],
    [flush.reply, reply],
  ] as const) {
    for (const part of text.split(',').filter(Boolean)) {
      const [key, value] = part.split('=')
      if (key === 'ct_nw_proto') flush.ipProto = Number(value)
      else if (key === 'ct_nw_src') tuple.src = addressBytes(value)
      else if (key === 'ct_nw_dst') tuple.dst = addressBytes(value)
      else if (key === 'ct_tp_src') tuple.srcPort = Number(value)
      else tuple.dstPort = Number(value)
    }
  }
  if (original.includes('nw_src') || reply.includes('nw_src')) flush.family = 2
  return flush
}

it.each(['normal', 'drop', 'nx-match'] as const)('set-frags %s', async (mode) => {
  const ours = await both([
    'priority=9,udp,tp_dst=53,actions=output:2',
    'priority=8,ip,nw_frag=first,actions=output:3',
    'priority=7,ip,nw_frag=later,actions=output:4',
    'priority=1,actions=output:1,output:2',
  ])
  await ovs.ovs.ofctl('set-frags', 'br0', mode)
  await ovs.forgetCached()
  ours.lab.commands.fragments('br0', mode)
  const whole = udp({ from: ['10.0.0.1', 1000], to: ['10.0.0.2', 53], data: 'x'.repeat(100) })
  const whole6 = tcp({ from: ['2001:db8::1', 1000], to: ['2001:db8::2', 53], data: 'x'.repeat(100) })
  for (const frame of [whole, ...fragments(whole, 48), whole6, ...fragments(whole6, 48)]) {
    expect(ours.send(3, frame)).toEqual(await ovs.send(3, frame))
  }
  await ovs.ovs.ofctl('set-frags', 'br0', 'normal')
})
