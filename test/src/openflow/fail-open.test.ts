import { expect, test } from 'vitest'
import { FailOpen } from '../../../src/openflow/fail-open.ts'

function make(probes: number[]) {
  const said: string[] = []
  const machine = new FailOpen(
    1000,
    probes,
    () => said.push('open'),
    () => said.push('closed'),
  )
  return { machine, said }
}

test('a controller that never comes is given up after three probe intervals', () => {
  const { machine, said } = make([5000, 7000])
  expect(machine.pollAt()).toBe(22_000)
  machine.poll(21_999)
  expect(said).toEqual([])
  machine.poll(22_000)
  machine.poll(50_000)
  expect(said).toEqual(['open'])
  expect(machine.pollAt()).toBeUndefined()
})

test('without probes it takes as long as with the usual ones', () => {
  expect(make([0]).machine.pollAt()).toBe(16_000)
})

test('other probes count at once', () => {
  const { machine } = make([5000])
  machine.probes = [1000]
  expect(machine.pollAt()).toBe(4000)
})

test('it ends when one is back, and the time begins anew when the last is lost', () => {
  const { machine, said } = make([5000])
  machine.connected(2000, 1)
  expect(machine.pollAt()).toBeUndefined()
  machine.poll(100_000)
  machine.connected(100_000, 0)
  machine.connected(110_000, 0)
  expect(machine.pollAt()).toBe(115_000)
  machine.poll(115_000)
  expect(machine.open).toBe(true)
  machine.connected(120_000, 2)
  expect(machine.open).toBe(false)
  machine.connected(121_000, 1)
  expect(said).toEqual(['open', 'closed'])
})
