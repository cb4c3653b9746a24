import { expect, test } from 'vitest'
import type { VlanSettings } from '../../../engine/dpif.ts'
import { carries, egress, ingress } from '../../reference/bridge.ts'
import { BROADCAST, hex, makeFrame, type Tag, tag, withTags } from '../../support/frames.ts'
import { SwitchLab, vlan } from '../../support/switch-lab.ts'

const A = 0x0200_0000_000a
const B = 0x0200_0000_000b
const C = 0x0200_0000_000c

const PORTS: Record<string, VlanSettings> = {
  'access 10': vlan({ mode: 'access', tag: 10 }),
  'access 0': vlan({ mode: 'access' }),
  'access 10, priority if nonzero': vlan({ mode: 'access', tag: 10, priorityTags: 'if-nonzero' }),
  'access 10, priority always': vlan({ mode: 'access', tag: 10, priorityTags: 'always' }),
  'trunk of all': vlan({}),
  'trunk 10, 20': vlan({ trunks: [10, 20] }),
  'trunk 0, 20': vlan({ trunks: [0, 20], priorityTags: 'if-nonzero' }),
  'native-tagged 10': vlan({ mode: 'native-tagged', tag: 10 }),
  'native-tagged 10, trunks 20': vlan({ mode: 'native-tagged', tag: 10, trunks: [20] }),
  'native-untagged 10': vlan({ mode: 'native-untagged', tag: 10 }),
  'native-untagged 20, trunks 10': vlan({ mode: 'native-untagged', tag: 20, trunks: [10] }),
  'native-untagged 0, trunks 10': vlan({ mode: 'native-untagged', tag: 0, trunks: [10] }),
  'native-untagged 10, priority': vlan({ mode: 'native-untagged', tag: 10, priorityTags: 'always' }),
  'tunnel 10': vlan({ mode: 'dot1q-tunnel', tag: 10 }),
  'tunnel 10, customers 20 and 30': vlan({ mode: 'dot1q-tunnel', tag: 10, cvlans: [20, 30] }),
  'tunnel 10 in 802.1q': vlan({ mode: 'dot1q-tunnel', tag: 10, qinqEthertype: '802.1q' }),
}

const FRAMES: Record<string, Tag[]> = {
  untagged: [],
  'priority-tagged': [tag(0, 5)],
  'tagged 10': [tag(10)],
  'tagged 20 with priority': [tag(20, 3)],
  'tagged 30 by 802.1ad': [tag(30, 0, 0x88a8)],
  'tagged 10 in 10': [tag(10), tag(10)],
  'tagged 20 in 10': [tag(10, 1, 0x88a8), tag(20, 2)],
  'tagged 30 in priority': [tag(0, 6), tag(30)],
  'tagged 10 in 20': [tag(20), tag(10)],
}

const names = Object.keys(PORTS)
const CASES = names.flatMap((from) => names.map((to) => [from, to] as const))

test.each(CASES)('from %s to %s: every kind of frame, flooded and to a known station', (from, to) => {
  const lab = new SwitchLab({ flowLimit: 64, emcEntries: 64, cells: 4 })
  lab.bridge('br')
  lab.port('a', 'br', PORTS[from])
  lab.port('b', 'br', PORTS[to])
  for (const [kind, tags] of Object.entries(FRAMES)) {
    const entered = ingress(PORTS[from], tags)
    const passes = entered !== undefined && carries(PORTS[to], entered.vlan, entered.payload)
    const outTags = passes ? egress(PORTS[to], { ...entered, received: tags[0] }, PORTS[from]) : []
    for (const dst of [BROADCAST, B]) {
      const frame = makeFrame({ dst, src: A, tags })
      const expected = passes ? [{ port: 'b', frame: withTags(frame, outTags) }] : []
      const show = (sent: { port: string; frame: Uint8Array }[]) =>
        sent.map((s) => `${s.port} ${hex(s.frame)}`)
      expect(show(lab.send('a', frame)), `${kind} to ${dst.toString(16)}`).toEqual(show(expected))
      // Now by the cached flow.
      expect(show(lab.send('a', frame))).toEqual(show(expected))
    }
  }
})

function twoPorts(): SwitchLab {
  const lab = new SwitchLab()
  lab.bridge('br')
  for (const name of ['a', 'b', 'c']) lab.port(name, 'br')
  return lab
}

test('unknown destinations are flooded, known ones are sent where they were heard', () => {
  const lab = twoPorts()
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual(['b', 'c'])
  expect(lab.ports('b', makeFrame({ dst: A, src: B }))).toEqual(['a'])
  expect(lab.ports('a', makeFrame({ dst: B, src: A }))).toEqual(['b'])
  expect(lab.ports('a', makeFrame({ dst: BROADCAST, src: A }))).toEqual(['b', 'c'])
})

test('a frame is never sent back by the port it came by', () => {
  const lab = twoPorts()
  lab.send('a', makeFrame({ dst: BROADCAST, src: A }), makeFrame({ dst: BROADCAST, src: B }))
  expect(lab.send('a', makeFrame({ dst: B, src: A }))).toEqual([])
  expect(lab.commands.stats().drops).toEqual({ 'bridge-input-is-output': 1 })
})

test('a station that moves takes the flows to it along', () => {
  const lab = twoPorts()
  lab.send('b', makeFrame({ dst: BROADCAST, src: B }))
  const toB = makeFrame({ dst: B, src: A })
  for (let i = 0; i < 3; i++) expect(lab.ports('a', toB)).toEqual(['b'])
  lab.send('c', makeFrame({ dst: BROADCAST, src: B }))
  expect(lab.ports('a', toB)).toEqual(['c'])
})

test('a multicast source is not learned, its frame is forwarded', () => {
  const lab = twoPorts()
  expect(lab.ports('a', makeFrame({ dst: BROADCAST, src: 0x0100_5e00_0001 }))).toEqual(['b', 'c'])
  expect(lab.commands.fdb('br', 0).rows).toEqual([])
})

test('a VLAN is a bridge of its own', () => {
  const lab = twoPorts()
  lab.send('a', makeFrame({ dst: BROADCAST, src: A, tags: [tag(1)] }))
  lab.send('b', makeFrame({ dst: BROADCAST, src: A, tags: [tag(2)] }))
  expect(lab.ports('c', makeFrame({ dst: A, src: C, tags: [tag(1)] }))).toEqual(['a'])
  expect(lab.ports('c', makeFrame({ dst: A, src: C, tags: [tag(2)] }))).toEqual(['b'])
  expect(lab.ports('c', makeFrame({ dst: A, src: C, tags: [tag(3)] }))).toEqual(['a', 'b'])
})

test('bridges are isolated', () => {
  const lab = twoPorts()
  lab.bridge('other')
  lab.port('x', 'other')
  lab.port('y', 'other')
  expect(lab.ports('x', makeFrame({ dst: BROADCAST, src: A }))).toEqual(['y'])
  expect(lab.ports('a', makeFrame({ dst: A, src: B }))).toEqual(['b', 'c'])
})

test.each(Array.from({ length: 16 }, (_, i) => 0x0180_c200_0000 + i))(
  'IEEE 802.1Q table 8-1: %i is not forwarded unless forward-bpdu',
  (dst) => {
    const lab = twoPorts()
    const frame = makeFrame({ dst, src: A })
    expect(lab.ports('a', frame)).toEqual([])
    expect(lab.commands.stats().drops).toEqual({ 'bridge-reserved-address': 1 })
    lab.bridge('br', { forwardBpdu: true })
    expect(lab.ports('a', frame)).toEqual(['b', 'c'])
    lab.bridge('br')
    expect(lab.ports('a', frame)).toEqual([])
  },
)

test.each([0x0180_c200_0010, 0x0180_c201_0000, 0x0180_c200_0020])('%i is an ordinary group', (dst) => {
  expect(twoPorts().ports('a', makeFrame({ dst, src: A }))).toEqual(['b', 'c'])
})

test('a station that only cached flows hear from ages from its last frame, not its first', () => {
  const lab = twoPorts()
  const known = () => lab.commands.fdb('br', 0).rows.map((r) => [r.mac, r.age])
  for (let s = 0; s < 200; s++) {
    lab.send('a', makeFrame({ dst: BROADCAST, src: A }))
    lab.pass(1)
  }
  expect(lab.commands.stats().upcalls).toBe(1)
  expect(known()).toEqual([[A, 1]])
  // Long after the flow itself has gone.
  lab.pass(298)
  expect(lab.commands.stats().flows).toBe(0)
  expect(known()).toEqual([[A, 299]])
  lab.pass(1)
  expect(known()).toEqual([])
})

test('a table that is full forgets silent stations before those that cached flows hear', () => {
  const lab = twoPorts()
  lab.bridge('br', { macTableSize: 10 })
  for (let i = 0; i < 100; i++) {
    lab.now += 10
    lab.send('a', makeFrame({ dst: BROADCAST, src: A }))
    lab.send('b', makeFrame({ dst: BROADCAST, src: B + i }))
  }
  const stations = lab.commands.fdb('br', 0).rows.map((r) => r.mac)
  expect(stations).toHaveLength(10)
  expect(stations).toContain(A)
})
