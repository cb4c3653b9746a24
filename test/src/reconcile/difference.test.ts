import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Bridge, Network, Port } from '../../../src/config/network.ts'
import { difference } from '../../../src/reconcile/difference.ts'
import { elementsOf } from '../../../src/reconcile/elements.ts'
import { planElements } from '../../../src/reconcile/plan.ts'
import { network } from '../../support/arbitrary-network.ts'

const settled = new Set<string>()

/** The second network with ports and bridges of the first where those are in both, as the very objects. */
function shared(before: Network, after: Network, chosen: (name: string) => boolean): Network {
  const ports = (old: Bridge | undefined, now: Bridge): Port[] =>
    now.ports.map((port) => {
      const same = old?.ports.find(({ name }) => name === port.name)
      return same !== undefined && chosen(port.name) ? same : port
    })
  const bridges = after.bridges.map((now) => {
    const old = before.bridges.find(({ name }) => name === now.name)
    return old !== undefined && chosen(now.name) ? old : { ...now, ports: ports(old, now) }
  })
  return { ...after, bridges }
}

test('the plan of what differs is the plan of the whole', () => {
  fc.assert(
    fc.property(network, network, fc.array(fc.nat(1)), (before, other, choices) => {
      const names = ['br-a', 'br-b', 'br-c', 'p1', 'p2', 'p3']
      const after = shared(before, other, (name) => choices[names.indexOf(name)] === 1)
      // Names are unique in a network.
      const ports = after.bridges.flatMap((bridge) => bridge.ports.map(({ name }) => name))
      fc.pre(new Set(ports).size === ports.length)
      const [have, want] = difference(before, after, settled).map(elementsOf)
      expect(planElements(have!, want!)).toEqual(planElements(elementsOf(before), elementsOf(after)))
    }),
    { numRuns: 300 },
  )
})

test('of two networks that are the same object nothing is left of bridges but what is pending', () => {
  fc.assert(
    fc.property(network, (same) => {
      const [before, after] = difference(same, same, settled)
      for (const { ports } of before.bridges) {
        for (const port of ports) expect(port).toMatchObject({ type: 'system' })
      }
      expect(after).toEqual(before)
      const names = same.bridges.flatMap(({ name, ports }) => [name, ...ports.map((port) => port.name)])
      const all = difference(same, same, new Set(names))
      expect(all).toEqual([same, same])
    }),
    { numRuns: 60 },
  )
})
