import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Network } from '../../../src/config/network.ts'
import type { Element } from '../../../src/reconcile/element.ts'
import { elementsOf } from '../../../src/reconcile/elements.ts'
import { execute, executeAll } from '../../../src/reconcile/execute.ts'
import { type Change, inverse, planElements, type Step, sameElement } from '../../../src/reconcile/plan.ts'
import { network } from '../../support/arbitrary-network.ts'
import { Model } from '../../support/model-machine.ts'

function plan(have: Network | undefined, want: Network | undefined): Step[] {
  return planElements(have === undefined ? [] : elementsOf(have), want === undefined ? [] : elementsOf(want))
}

const maybe = fc.option(network, { nil: undefined })

test('the plan from any network to any other leads there', async () => {
  await fc.assert(
    fc.asyncProperty(maybe, maybe, async (a, b) => {
      const model = new Model(a)
      await execute(plan(a, b), model.perform)
      expect(model.state).toEqual(new Model(b).state)
    }),
    { numRuns: 500 },
  )
})

test('from a network to itself there is nothing to do', () => {
  fc.assert(
    fc.property(network, (a) => {
      expect(plan(a, structuredClone(a))).toEqual([])
    }),
  )
})

test('a failure at any step leads back to exactly what was, whatever part of the step was done', async () => {
  await fc.assert(
    fc.asyncProperty(network, network, fc.nat(), fc.boolean(), async (a, b, where, partly) => {
      const steps = plan(a, b)
      fc.pre(steps.length > 0)
      const failing = steps[where % steps.length]!
      const model = new Model(a)
      const perform = async (change: Change): Promise<void> => {
        if (change === failing.do) {
          if (partly) await model.perform(change)
          throw new Error('disk on fire')
        }
        // What was not done needs no undoing: the real machine is idempotent in this, the model is not.
        if (change === failing.undo && !partly) return
        await model.perform(change)
      }
      await expect(execute(steps, perform)).rejects.toThrow('disk on fire')
      expect(model.state).toEqual(new Model(a).state)
    }),
    { numRuns: 500 },
  )
})

test('no step touches what is equal in both and stands on nothing that changes', () => {
  fc.assert(
    fc.property(network, network, (a, b) => {
      const have = new Map(elementsOf(a).map((element) => [element.key, element]))
      const want = new Map(elementsOf(b).map((element) => [element.key, element]))
      for (const { do: change } of plan(a, b)) {
        const from = have.get(change.element.key)
        const to = want.get(change.element.key)
        if (from === undefined || to === undefined || !sameElement(from, to)) continue
        const stands = (element: Element): boolean =>
          element.needs.some((key) => !want.has(key) || stands(have.get(key)!))
        expect(stands(from)).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

test('the inverse of the inverse is the change itself', () => {
  fc.assert(
    fc.property(network, network, (a, b) => {
      for (const step of plan(a, b)) expect(inverse(inverse(step.do))).toEqual(step.do)
    }),
  )
})

test('taking away goes on after what fails, and tells', async () => {
  const [a] = fc.sample(network, { numRuns: 1, seed: 7 })
  const steps = plan(a, undefined)
  const seen: string[] = []
  const problems: string[] = []
  const perform = async (change: Change): Promise<void> => {
    seen.push(change.element.key)
    if (change === steps[0]!.do) throw new Error('no')
  }
  await executeAll(steps, perform, { onProblem: (title) => problems.push(title) })
  expect(seen).toEqual(steps.map((step) => step.do.element.key))
  expect(problems).toEqual([steps[0]!.title])
})

const bridge = (name: string, tag: number): Network['bridges'][number] => ({
  name,
  datapathId: '0000000000000001',
  internal: undefined,
  mac: 0x020000000001,
  macTableSize: 8192,
  agingTime: 300,
  forwardBpdu: false,
  openflow: { controllers: [], failMode: 'standalone', versions: 0x7e, flowTables: [] },
  ipfix: undefined,
  ports: [
    {
      name: 'p1',
      type: 'tap',
      device: 'p1',
      mac: 0x020000000002,
      mtu: 1500,
      vlan: {
        mode: 'access',
        tag,
        trunks: [],
        cvlans: [],
        priorityTags: 'no',
        qinqEthertype: '802.1ad',
      },
    },
  ],
})

test('a changed tag is a change of that port and nothing else', () => {
  const steps = plan(
    { bridges: [bridge('br0', 10)], hosts: [], routers: [] },
    { bridges: [bridge('br0', 20)], hosts: [], routers: [] },
  )
  expect(steps.map((step) => [step.do.op, step.title])).toEqual([['change', 'change interface p1 on br0']])
})

test('a TAP that moves to a new bridge is made anew, after the old one and before the old bridge goes', () => {
  const steps = plan(
    { bridges: [bridge('br0', 10)], hosts: [], routers: [] },
    { bridges: [bridge('br1', 10)], hosts: [], routers: [] },
  )
  expect(steps.map((step) => step.title)).toEqual([
    'remove interface p1 on br0',
    'bridge br1',
    'interface p1 on br1',
    'remove bridge br0',
  ])
})
