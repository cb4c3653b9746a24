import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parsePrefix } from '../../../protocols/wire/ipv4.ts'
import { converge, NeedMissing } from '../../../src/reconcile/converge.ts'
import type { Element } from '../../../src/reconcile/element.ts'
import { elementsOf } from '../../../src/reconcile/elements.ts'
import type { Change } from '../../../src/reconcile/plan.ts'
import { network } from '../../support/arbitrary-network.ts'
import { bare, Model } from '../../support/model-machine.ts'

test('what can be had is had, whatever fails; and the rest when it no longer does', async () => {
  const failing = fc.array(fc.nat(30), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(network, network, failing, async (have, want, which) => {
      const machine = new Model(have)
      const wanted = elementsOf(want)
      // What bridges and routers take with them is known to the dataplane alone.
      const breakable = wanted.filter(({ kind }) => kind !== 'bridge' && kind !== 'router')
      const broken = new Set(which.flatMap((i) => breakable[i]?.key ?? []))
      const perform = async (change: Change) => {
        if (change.op !== 'delete' && broken.has(change.element.key)) {
          if (change.op === 'create') await machine.perform(change)
          throw new Error('refused')
        }
        await machine.perform(change)
      }
      const first = await converge(elementsOf(have), wanted, perform)
      expect([...first.elements].sort(byKey).map(bare)).toEqual(machine.state)
      for (const { element, error } of first.failures) {
        // What a port stands on that would not move cannot go either.
        const [port] = error.message.split(` stands on ${element.key}`)
        expect(broken.has(element.key) || broken.has(port!) || error instanceof NeedMissing).toBe(true)
      }
      const second = await converge(first.elements, wanted, machine.perform)
      expect(second.failures).toEqual([])
      expect(machine.state).toEqual(new Model(want).state)
    }),
    { numRuns: 60 },
  )
})

test('what cannot be changed for want of what it would stand on stays as it was', async () => {
  const prefix = parsePrefix('10.0.0.1/24')!
  const namespace: Element = {
    kind: 'namespace',
    key: 'vm',
    title: '',
    needs: [],
    name: 'vm',
    loopback: false,
  }
  const address: Element = {
    kind: 'address',
    key: 'address',
    title: '',
    needs: ['vm'],
    namespace: 'vm',
    device: 'eth0',
    address: prefix,
  }
  const route = (via: number, needs: string[]): Element => ({
    kind: 'route',
    key: 'route',
    title: '',
    needs,
    namespace: 'vm',
    to: prefix,
    via,
  })
  const have = [namespace, route(1, ['vm'])]
  const { elements, failures } = await converge(
    have,
    [namespace, address, route(2, ['vm', 'address'])],
    async () => {
      throw new Error('refused')
    },
  )
  expect(elements).toEqual(have)
  expect(failures.map(({ element, error }) => [element.key, error.message])).toEqual([
    ['address', 'refused'],
    ['route', 'it needs address'],
  ])
})

function byKey(a: { key: string }, b: { key: string }): number {
  return a.key < b.key ? -1 : 1
}
