import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Network } from '../../../src/config/network.ts'
import type { Element } from '../../../src/reconcile/element.ts'
import { elementsOf } from '../../../src/reconcile/elements.ts'
import { execute, executeAll } from '../../../src/reconcile/execute.ts'
import { type Change, inverse, plan, sameElement } from '../../../src/reconcile/plan.ts'
import { network } from '../../support/arbitrary-network.ts'

/** A machine that has exactly the elements it was given, and refuses what a real one would refuse. */
class Model {
  readonly elements = new Map<string, Element>()

  constructor(of?: Network) {
    for (const element of of === undefined ? [] : elementsOf(of)) this.#put(element)
  }

  perform = async (change: Change): Promise<void> => {
    const { element } = change
    if (change.op === 'create') {
      if (this.elements.has(element.key)) throw new Error(`${element.key} is there`)
      this.#put(element)
    } else if (change.op === 'change') {
      const present = this.elements.get(element.key)
      if (present === undefined || !sameElement(present, change.from)) throw new Error(`not ${element.key}`)
      this.#put(element)
    } else {
      this.#remove(element)
    }
  }

  #put(element: Element): void {
    for (const key of element.needs) {
      if (!this.elements.has(key)) throw new Error(`${element.key} lacks ${key}`)
    }
    for (const other of this.elements.values()) {
      if (other.key === element.key) continue
      const name = portName(element)
      if (name !== undefined && name === portName(other)) throw new Error(`two ports ${name}`)
      const device = place(element)
      if (device !== undefined && device === place(other)) throw new Error(`two devices ${device}`)
    }
    for (const carrier of carriers(element)) {
      if (!this.elements.has(carrier)) throw new Error(`${element.key} without ${carrier}`)
    }
    this.elements.set(element.key, element)
  }

  #remove(element: Element): void {
    if (!this.elements.delete(element.key)) throw new Error(`${element.key} is not there`)
    for (const other of this.elements.values()) {
      if (other.needs.includes(element.key) || carriers(other).includes(element.key)) {
        throw new Error(`${other.key} stands on ${element.key}`)
      }
    }
  }

  get state(): Element[] {
    return [...this.elements.values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(bare)
  }
}

/** Titles and dependencies are no state of the machine. */
function bare(element: Element): Element {
  return { ...element, title: '', needs: [] }
}

function portName(element: Element): string | undefined {
  return element.kind === 'port' || element.kind === 'interface' ? element.spec.name : undefined
}

function place(element: Element): string | undefined {
  return element.kind === 'interface' ? `${element.namespace} ${element.device}` : undefined
}

function carriers(element: Element): string[] {
  if (element.kind !== 'port' && element.kind !== 'interface') return []
  const { bridge, kind } = element.spec
  return [`bridge/${bridge}`, ...(kind.type === 'router' ? [`router/${kind.router}`] : [])]
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
  openflow: { controllers: [], failMode: 'standalone', versions: 0x7e },
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
