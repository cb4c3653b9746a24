import { expect, test } from 'vitest'
import { Rule } from '../../../engine/ofproto/rule.ts'
import type { OfAction } from '../../../protocols/openflow/action.ts'
import { emptyMatch } from '../../../protocols/openflow/match.ts'
import { OFPP_FLOOD, OFPP_NORMAL } from '../../../protocols/openflow/port.ts'
import { BROADCAST, makeFrame, splitTags, tag } from '../../support/frames.ts'
import { SwitchLab, vlan } from '../../support/switch-lab.ts'

const A = 0x0200_0000_000a
const B = 0x0200_0000_000b

/** Bridges br0…, each joined to the next by a pair of patch ports; port a on the first, b on the last. */
function chain(length: number, settings = vlan({})): SwitchLab {
  const lab = new SwitchLab()
  for (let i = 0; i < length; i++) {
    lab.bridge(`br${i}`)
    if (i === 0) continue
    lab.patch(`east${i - 1}`, `br${i - 1}`, `west${i}`)
    lab.patch(`west${i}`, `br${i}`, `east${i - 1}`, settings)
  }
  lab.port('a', 'br0', settings)
  lab.port('b', `br${length - 1}`)
  return lab
}

test('eight bridges in a row cost one lookup in the steady state', () => {
  const lab = chain(8)
  lab.send('b', makeFrame({ dst: BROADCAST, src: B }))
  const frame = makeFrame({ dst: B, src: A })
  expect(lab.ports('a', frame)).toEqual(['b'])
  const before = lab.commands.stats()
  for (let i = 0; i < 100; i++) expect(lab.ports('a', frame)).toEqual(['b'])
  const after = lab.commands.stats()
  expect(after.emcHits - before.emcHits).toBe(100)
  expect([after.upcalls, after.flows]).toEqual([before.upcalls, before.flows])
  expect(lab.commands.megaflows(0, true).rows.map((r) => r.actions)).toContain('b')
})

test('every bridge on the way learns, and a change in any of them is heeded', () => {
  const lab = chain(8)
  const frame = makeFrame({ dst: B, src: A })
  lab.send('b', makeFrame({ dst: BROADCAST, src: B }))
  expect(lab.ports('a', frame)).toEqual(['b'])
  for (let i = 0; i < 8; i++) {
    const rows = lab.commands.fdb(`br${i}`, 0).rows
    expect(rows.map((r) => `${r.mac === A ? 'A' : 'B'} ${r.port}`).sort()).toEqual([
      `A ${i === 0 ? 'a' : `west${i}`}`,
      `B ${i === 7 ? 'b' : `east${i}`}`,
    ])
  }
  lab.port('c', 'br4')
  lab.send('c', makeFrame({ dst: BROADCAST, src: B }))
  expect(lab.ports('a', frame)).toEqual(['c'])
  lab.commands.portDelete('west2')
  expect(lab.ports('a', frame)).toEqual([])
  expect(lab.commands.stats().drops).toEqual({ 'patch-without-peer': 1 })
  lab.patch('west2', 'br2', 'east1')
  expect(lab.ports('a', frame)).toEqual(['c'])
})

test('the longest chain is still cached, a longer one drops the packet and counts it', () => {
  const lab = chain(65)
  lab.send('a', makeFrame({ dst: BROADCAST, src: A }))
  expect(lab.ports('a', makeFrame({ dst: BROADCAST, src: A }))).toEqual(['b'])
  expect(lab.commands.stats().emcHits).toBe(1)
  const longer = chain(66)
  longer.port('near', 'br0')
  expect(longer.ports('a', makeFrame({ dst: BROADCAST, src: A }))).toEqual([])
  expect(longer.commands.stats().drops).toEqual({ 'too-many-resubmits': 1 })
})

test.each([1, 2, 3, 8])(
  '%i patch pairs too many between two bridges end in a drop, not in a storm',
  (extra) => {
    const lab = chain(2)
    for (let i = 0; i < extra; i++) {
      lab.patch(`x${i}`, 'br0', `y${i}`)
      lab.patch(`y${i}`, 'br1', `x${i}`)
    }
    const frame = makeFrame({ dst: BROADCAST, src: A })
    for (let i = 0; i < 3; i++) expect(lab.ports('a', frame)).toEqual([])
    expect(lab.commands.stats().drops).toEqual({ 'too-many-resubmits': 3 })
    // Translated once: a loop costs no more than other traffic.
    expect(lab.commands.stats().upcalls).toBe(1)
    for (let i = 0; i < extra; i++) lab.commands.portDelete(`x${i}`)
    expect(lab.ports('a', frame)).toEqual(['b'])
  },
)

test('a patch port is not its own peer', () => {
  const lab = new SwitchLab()
  lab.bridge('br')
  expect(() => lab.patch('self', 'br', 'self')).toThrow('port self: a patch port cannot be its own peer')
  expect(lab.commands.ports()).toEqual([])
})

test('each tunnel on the way puts a tag on, and the way back takes each off', () => {
  const lab = chain(5, vlan({ mode: 'dot1q-tunnel', tag: 7 }))
  const there = lab.send('a', makeFrame({ dst: BROADCAST, src: A, tags: [tag(1), tag(2)] }))
  const [out] = there
  expect(splitTags(out.frame).tags.map((t) => `${t.tpid.toString(16)} ${t.vid}`)).toEqual([
    ...Array.from({ length: 5 }, () => '88a8 7'),
    '8100 1',
    '8100 2',
  ])
})

test('tags beyond any sane number are not pushed', () => {
  const lab = chain(12, vlan({ mode: 'dot1q-tunnel', tag: 7 }))
  expect(lab.send('a', makeFrame({ dst: BROADCAST, src: A }))).toEqual([])
  expect(lab.commands.stats().drops).toEqual({ 'bridge-vlan-not-allowed': 1 })
})

test('rules may output, flood whatever the VLANs of ports are, and go on with NORMAL', () => {
  const lab = new SwitchLab()
  lab.bridge('br')
  lab.bridge('far')
  lab.port('a', 'br', vlan({ mode: 'access', tag: 1 }))
  lab.port('b', 'br', vlan({ mode: 'access', tag: 2 }))
  lab.port('c', 'br', vlan({ mode: 'access', tag: 1 }))
  lab.patch('p', 'br', 'q', vlan({ mode: 'access', tag: 3 }))
  lab.patch('q', 'far', 'p')
  lab.port('d', 'far')
  const bridge = lab.local.datapath.topology.bridges.get('br')!
  const { classifier } = bridge.tables.table(0)
  const to = (port: number): OfAction => ({ type: 'output', port, maxLen: 0 })
  const set = (...actions: OfAction[]) => {
    bridge.tables.replace(
      classifier.find(emptyMatch(), 0)!,
      new Rule({ tableId: 0, priority: 0, actions }, 0),
    )
  }
  const frame = makeFrame({ dst: BROADCAST, src: A, tags: [tag(9)] })
  set(to(OFPP_FLOOD))
  expect(lab.ports('a', frame)).toEqual(['b', 'c', 'd'])
  expect(lab.ports('a', makeFrame({ dst: BROADCAST, src: A, tags: [tag(8)] }))).toEqual(['b', 'c', 'd'])
  set(to(2), to(OFPP_NORMAL), to(4))
  const sent = lab.send('a', makeFrame({ dst: BROADCAST, src: A }))
  expect(sent.map((s) => s.port)).toEqual(['b', 'c', 'd'])
  expect(sent.map((s) => splitTags(s.frame).tags.length)).toEqual([0, 0, 0])
  set()
  expect(lab.ports('a', frame)).toEqual([])
  bridge.tables.remove(classifier.find(emptyMatch(), 0)!)
  expect(lab.ports('a', frame)).toEqual([])
  expect(lab.commands.stats().drops).toEqual({ 'action-drop': 1, 'flow-table-miss': 1 })
})
