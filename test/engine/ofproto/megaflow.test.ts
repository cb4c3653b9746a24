/**
 * A megaflow holds all that a decision depends on: a packet that agrees in the bits somebody looked at, whatever
 * it is in the others, has the same done to it. And it holds little more, where frames are many.
 */
import { describe, expect, it, test } from 'vitest'
import type { VlanSettings } from '../../../engine/dpif.ts'
import { extract } from '../../../engine/flow/extract.ts'
import { Xlate } from '../../../engine/ofproto/xlate.ts'
import { KEY_WORDS, W_VLAN } from '../../../protocols/flow-key.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { RefPacket } from '../../reference/openflow-packet.ts'
import { hex, makeFrame, tag } from '../../support/frames.ts'
import { Cases } from '../../support/openflow-cases.ts'
import { OpenflowLab } from '../../support/openflow-lab.ts'
import { BITS, flowText, groupText } from '../../support/openflow-text.ts'
import { SwitchLab, vlan } from '../../support/switch-lab.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const WRITABLE = Object.keys(BITS).filter((f) => !/^(reg|metadata|in_port|dl_type|nw_frag|vlan)/.test(f))

interface Decision {
  readonly key: Uint32Array
  readonly looked: Uint32Array
  /** What is to be done, in words of a program. */
  readonly done: string
}

function decide(x: Xlate, { local }: SwitchLab, port: string, frame: Uint8Array): Decision {
  const { pool } = local.datapath
  const input = x.topology.bridges.get('br0')!.ports.find((p) => p.spec.name === port)!
  const key = new Uint32Array(KEY_WORDS)
  const handle = pool.fromBytes(frame)
  const words = extract(pool, handle, input.portNo, key, 0)
  pool.free(handle)
  x.begin(key, words, -1, 0)
  x.sideEffects = false
  x.enterBridge(input)
  x.end()
  return { key, looked: x.wc.slice(0, KEY_WORDS), done: x.program.code.slice(0, x.program.length).join() }
}

const translation = ({ local: { datapath } }: SwitchLab): Xlate =>
  new Xlate(datapath.topology, datapath.routers)

/** Whether a megaflow made of `a` would serve the packet of `b`. */
const serves = (a: Decision, b: Decision): boolean =>
  a.key.every((word, i) => ((word ^ b.key[i]) & a.looked[i]) === 0)

/** The frame with some fields, VLAN tags among them, made others. */
function mutant(cases: Cases, frame: Uint8Array): Uint8Array {
  const packet = new RefPacket(frame, 0)
  for (let n = 1 + cases.below(2); n > 0; n--) {
    if (cases.chance(80)) {
      const field = cases.pick(WRITABLE)
      const value = BigInt(1) << BigInt(cases.below(BITS[field]))
      const before = packet.get(field)
      if (before !== undefined) packet.set(field, before ^ value, value)
      continue
    }
    const tagged = packet.bytes[12] === 0x81 || packet.bytes[12] === 0x88
    const bytes = [...packet.bytes]
    if (tagged && cases.chance(50)) bytes[14 + cases.below(2)] ^= 1 << cases.below(8)
    else bytes.splice(12, 0, 0x81, 0, cases.below(256), cases.below(256))
    return Uint8Array.from(bytes)
  }
  return packet.bytes
}

describe('what packets that one megaflow serves have done to them is the same', () => {
  it.each([false, true])('by random rules, NORMAL among them: %s', (normal) => {
    let served = 0
    for (let seed = 1; seed <= 30; seed++) {
      const cases = new Cases(seededRandom(seed), { ports: 4, tables: 4, normal, groups: 2 })
      const ours = new OpenflowLab(PORTS)
      ours.groups([1, 2].map((id) => groupText(id, cases.group())))
      const flows = Array.from({ length: 30 }, (_, i) => flowText({ ...cases.flow(), priority: 100 + i }))
      ours.flows(flows)
      const x = translation(ours.lab)
      for (let n = 0; n < 20; n++) {
        const port = cases.pick(PORTS)
        const frame = cases.frame()
        const one = decide(x, ours.lab, port, frame)
        for (let m = 0; m < 15; m++) {
          const changed = mutant(cases, frame)
          const other = decide(x, ours.lab, port, changed)
          if (!serves(one, other)) continue
          served++
          if (other.done === one.done) continue
          const hint = `seed ${seed}, ${port}: ${hex(frame)} and ${hex(changed)}`
          expect(other.done, `${hint}\n${flows.join('\n')}`).toBe(one.done)
        }
      }
    }
    expect(served).toBeGreaterThan(2000)
  })
})

/** Every pair of frames whose tags differ. */
describe('so it is of frames with any tags', () => {
  const TAGS = [[], [tag(0, 5)], [tag(10)], [tag(10, 5)], [tag(20)], [tag(10, 0, 0x88a8)]]
  const INNER = [[tag(0)], [tag(10)], [tag(10, 5)], [tag(20)], [tag(20, 0, 0x88a8)]]
  const tags = [...TAGS, ...TAGS.slice(1).flatMap((outer) => INNER.map((inner) => [...outer, ...inner]))]
  const frames = tags.map((t) => makeFrame({ dst: 2, src: 1 << 25, tags: t }))

  function expectServed(lab: SwitchLab, hint: string): number {
    const x = translation(lab)
    const decisions = frames.map((frame) => decide(x, lab, 'a', frame))
    let served = 0
    for (const one of decisions) {
      for (const other of decisions) {
        if (one === other || !serves(one, other)) continue
        served++
        expect(other.done, hint).toBe(one.done)
      }
    }
    return served
  }

  test('by bridges with ports of every kind', () => {
    const cases = new Cases(seededRandom(5), { ports: 1, tables: 1, normal: true, groups: 0 })
    const settings = (): VlanSettings =>
      vlan({
        mode: cases.pick(['access', 'trunk', 'native-tagged', 'native-untagged', 'dot1q-tunnel']),
        tag: cases.pick([0, 10, 20]),
        trunks: cases.pick([[], [10], [0, 20]]),
        cvlans: cases.pick([[], [10]]),
        priorityTags: cases.pick(['no', 'no', 'if-nonzero', 'always']),
        qinqEthertype: cases.pick(['802.1q', '802.1ad']),
      })
    let served = 0
    for (let n = 0; n < 40; n++) {
      const kinds = Array.from({ length: 5 }, settings)
      const lab = new SwitchLab()
      for (const bridge of ['br0', 'br1']) lab.bridge(bridge)
      lab.port('a', 'br0', kinds[0])
      lab.port('b', 'br0', kinds[1])
      lab.patch('there', 'br0', 'back', kinds[2])
      lab.patch('back', 'br1', 'there', kinds[3])
      lab.port('c', 'br1', kinds[4])
      served += expectServed(lab, JSON.stringify(kinds))
    }
    expect(served).toBeGreaterThan(500)
  })

  test.each([
    'actions=pop_vlan,resubmit(,1)',
    'actions=push_vlan:0x8100,resubmit(,1),pop_vlan,resubmit(,1)',
    'actions=push_vlan:0x88a8,set_field:4106->vlan_vid,resubmit(,1)',
    'actions=pop_vlan,push_vlan:0x8100,set_field:4106->vlan_vid,output:2',
    'actions=clone(pop_vlan,output:2),resubmit(,1)',
    'actions=output:2,pop_vlan,output:2,pop_vlan,resubmit(,1)',
    'vlan_tci=0x1000/0x1000,actions=set_field:4116->vlan_vid,output:2,resubmit(,1)',
    'actions=pop_vlan,normal',
    'actions=push_vlan:0x8100,normal',
  ])('by rules: %s', (line) => {
    const ours = new OpenflowLab(['a', 'b', 'c'])
    ours.flows([
      line,
      'table=1,priority=3,vlan_tci=0x100a/0x1fff,actions=pop_vlan,normal',
      'table=1,priority=2,vlan_tci=0x1014/0x1fff,actions=set_field:5->vlan_pcp,output:3',
      'table=1,priority=1,vlan_tci=0,actions=output:2',
    ])
    expectServed(ours.lab, line)
  })
})

/** Frames that differ in what nobody needs to know share a flow of the cache. */
describe('a bridge looks at no more of tags than it goes by', () => {
  const settings: Record<string, VlanSettings> = {
    trunk: vlan({}),
    'native-untagged 10': vlan({ mode: 'native-untagged', tag: 10 }),
    'access 10': vlan({ mode: 'access', tag: 10 }),
    'access 10, priority if nonzero': vlan({ mode: 'access', tag: 10, priorityTags: 'if-nonzero' }),
  }
  const frames = {
    'VLAN 10': makeFrame({ dst: 2, src: 1 << 25, tags: [tag(10)] }),
    'priority 5 in 10': makeFrame({ dst: 2, src: 1 << 25, tags: [tag(10, 5)] }),
    '20 in 10': makeFrame({ dst: 2, src: 1 << 25, tags: [tag(10), tag(20)] }),
    untagged: makeFrame({ dst: 2, src: 1 << 25 }),
  }
  type Kind = keyof typeof frames
  test.each<[from: string, to: string, one: Kind, other: Kind, isShared: boolean]>([
    ['trunk', 'trunk', 'VLAN 10', 'priority 5 in 10', true],
    ['trunk', 'trunk', 'VLAN 10', '20 in 10', true],
    ['trunk', 'trunk', 'VLAN 10', 'untagged', false],
    ['trunk', 'access 10', 'VLAN 10', '20 in 10', false],
    ['native-untagged 10', 'trunk', 'VLAN 10', 'priority 5 in 10', true],
    ['trunk', 'access 10, priority if nonzero', 'VLAN 10', 'priority 5 in 10', false],
  ])('from %s to %s: %s and %s', (from, to, one, other, isShared) => {
    const lab = new SwitchLab()
    lab.bridge('br0')
    lab.port('a', 'br0', settings[from])
    lab.port('b', 'br0', settings[to])
    const x = translation(lab)
    const made = decide(x, lab, 'a', frames[one])
    expect(serves(made, decide(x, lab, 'a', frames[other]))).toBe(isShared)
  })

  test('of an untagged frame only that it is', () => {
    const lab = new SwitchLab()
    lab.bridge('br0')
    lab.port('a', 'br0', settings['access 10'])
    lab.port('b', 'br0', settings.trunk)
    const { looked } = decide(translation(lab), lab, 'a', frames.untagged)
    expect(looked[W_VLAN].toString(16)).toBe('1fff0000')
  })
})
