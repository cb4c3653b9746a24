import { afterEach, expect, test } from 'vitest'
import { elapsed, now, onClockSet, running, setClock } from '../../../engine/sys/clock.ts'
import { realClock } from '../../../src/services/scheduler.ts'

const real = now() - elapsed()
afterEach(() => setClock(real + elapsed(), true))

test('a clock that is stopped stands until it is set again, and then goes on from there', () => {
  const start = now()
  setClock(start, false)
  expect(running()).toBe(false)
  expect(now()).toBe(start)
  setClock(start + 60_000, false)
  expect(now()).toBe(start + 60_000)
  setClock(start + 120_000, true)
  expect(running()).toBe(true)
  expect(now()).toBeGreaterThanOrEqual(start + 120_000)
  expect(elapsed()).toBeLessThan(start)
})

test('calls that fall due by a jump are made in the order of their times, at once, others when it is their turn', () => {
  const start = now()
  setClock(start, false)
  const made: string[] = []
  realClock.schedule(start + 2000, () => made.push('two'))
  realClock.schedule(start + 1000, () => {
    made.push('one')
    realClock.schedule(now() + 1000, () => made.push('later'))
  })
  const cancel = realClock.schedule(start + 1500, () => made.push('never'))
  realClock.schedule(start + 9000, () => made.push('nine'))
  cancel()
  expect(made).toEqual([])
  setClock(start + 5000, false)
  expect(made).toEqual(['one', 'two'])
  setClock(start + 6000, false)
  expect(made).toEqual(['one', 'two', 'later'])
  setClock(start + 9000, false)
  expect(made).toEqual(['one', 'two', 'later', 'nine'])
})

test('those who follow the clock are told', () => {
  let told = 0
  onClockSet(() => told++)
  setClock(now(), true)
  expect(told).toBe(1)
})
