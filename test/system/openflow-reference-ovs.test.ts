/**
 * The reference interpreter of test/reference is itself held against a real Open vSwitch, so that what the
 * engine is compared with is not only somebody's reading of the manuals.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seededRandom } from '../../protocols/random.ts'
import { RefOpenflow } from '../reference/openflow.ts'
import { Unspecified } from '../reference/openflow-packet.ts'
import { hex } from '../support/frames.ts'
import { Cases } from '../support/openflow-cases.ts'
import { actionsText, flowText } from '../support/openflow-text.ts'
import { OvsSwitch } from '../support/ovs-openflow.ts'

const PORTS = ['p1', 'p2', 'p3', 'p4']
const SEED = 1000
const ROUNDS = 30
const FLOWS = 25
const FRAMES = 30

let ovs: OvsSwitch
beforeAll(async () => {
  ovs = await OvsSwitch.start(PORTS)
})
afterAll(() => ovs.stop())

it('sends the same frames by the same rules, and counts them alike', async () => {
  let delivered = 0
  for (let round = 0; round < ROUNDS; round++) {
    const cases = new Cases(seededRandom(SEED + round), {
      ports: 4,
      tables: 4,
      normal: false,
      groups: 3,
      laterFragments: false,
    })
    const reference = new RefOpenflow()
    for (const [i, name] of PORTS.entries()) reference.ports.set(i + 1, name)
    await ovs.clear()
    for (let group = 1; group <= 3; group++) {
      const made = cases.group()
      reference.groups.set(group, made)
      const buckets = made.buckets.map((b) => `,bucket=${actionsText(b)}`)
      await ovs.ofctl('add-group', `group_id=${group},type=${made.type}${buckets.join('')}`)
    }
    const flows = Array.from({ length: FLOWS }, (_, i) => ({ ...cases.flow(), priority: 100 + i }))
    for (const flow of flows) reference.add(flow)
    await ovs.add(flows)
    let exact = true
    for (let n = 0; n < FRAMES; n++) {
      const port = 1 + cases.below(4)
      const frame = cases.frame()
      const actual = await ovs.send(port, frame)
      try {
        const expected = reference.send(port, frame)
        const hint = () =>
          `seed ${SEED + round}, port ${port}, frame ${hex(frame)}\n${reference.rules
            .filter((r) => r.packets > 0)
            .map(flowText)
            .join('\n')}`
        expect(actual, hint()).toEqual(expected)
        delivered += expected.length
      } catch (error) {
        if (!(error instanceof Unspecified)) throw error
        exact = false
      }
    }
    if (!exact) continue
    const counters = await ovs.counters()
    for (const r of reference.rules) {
      expect(counters.get(`${r.table} ${r.priority}`), flowText(r)).toBe(`${r.packets}/${r.bytes}`)
    }
  }
  expect(delivered).toBeGreaterThan(ROUNDS * 10)
}, 300_000)
