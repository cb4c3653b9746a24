/**
 * The same flows, given by ovs-ofctl to a real Open vSwitch and in the same words to our engine, and the same
 * frames: each frame must leave both by the same ports with the same bytes.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { seededRandom } from '../../protocols/random.ts'
import { hex, splitTags } from '../support/frames.ts'
import { Cases } from '../support/openflow-cases.ts'
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
  it.each(FAMILIES)('$name', async ({ flows, groups, version, uncached }) => {
    const ours = new OpenflowLab(PORTS)
    await ovs.clear()
    for (const group of groups ?? []) await ovs.ofctl('add-group', group)
    if (groups !== undefined) ours.groups(groups)
    await ovs.flows(flows, version)
    ours.flows(flows)
    const cases = new Cases(seededRandom(77), OPTIONS)
    let delivered = 0
    for (let n = 0; n < FRAMES; ) {
      const frame = cases.frame()
      if (!fewTags(frame)) continue
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
