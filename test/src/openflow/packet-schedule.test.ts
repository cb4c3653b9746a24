import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PacketSchedule } from '../../../src/openflow/packet-schedule.ts'

function make(rate: number, burst: number) {
  const sent: string[] = []
  return { sent, schedule: new PacketSchedule<string>(0, rate, burst, (item) => sent.push(item)) }
}

test('without a limit everything goes at once', () => {
  const { sent, schedule } = make(0, 0)
  for (let i = 0; i < 1000; i++) schedule.add(0, 1, 'x')
  expect(sent).toHaveLength(1000)
  expect(schedule.pollAt()).toBeUndefined()
})

test('a burst goes at once, the rest at the rate', () => {
  const { sent, schedule } = make(10, 3)
  for (let i = 0; i < 5; i++) schedule.add(0, 1, String(i))
  expect(sent).toEqual(['0', '1', '2'])
  expect(schedule.pollAt()).toBe(100)
  schedule.poll(99)
  expect(sent).toHaveLength(3)
  schedule.poll(100)
  expect(sent).toEqual(['0', '1', '2', '3'])
  schedule.poll(200)
  expect(sent).toHaveLength(5)
  expect(schedule.pollAt()).toBeUndefined()
})

test('ports take turns, and the one that sends most loses', () => {
  const { sent, schedule } = make(10, 1)
  schedule.add(0, 1, 'first')
  for (let i = 0; i < 150; i++) schedule.add(0, 1, `noisy ${i}`)
  schedule.add(0, 2, 'quiet')
  expect(schedule.dropped).toBe(51)
  schedule.poll(100)
  schedule.poll(200)
  expect(sent).toEqual(['first', 'noisy 51', 'quiet'])
})

test('never more than burst and rate allow, and nothing is lost unsaid', () => {
  const step = fc.record({ wait: fc.nat(400), port: fc.nat(3), count: fc.nat(60) })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(50), fc.array(step), (rate, burst, steps) => {
      const { sent, schedule } = make(rate, burst)
      const limit = Math.max(1, burst === 0 ? Math.floor(rate / 4) : burst)
      let now = 0
      let added = 0
      for (const { wait, port, count } of steps) {
        now += wait
        schedule.poll(now)
        for (let i = 0; i < count; i++, added++) schedule.add(now, port, 'x')
        expect(sent.length).toBeLessThanOrEqual(limit + (now * rate) / 1000 + 1e-6)
      }
      schedule.poll(now + 1e9)
      for (let i = 0; i < 100; i++) schedule.poll(now + 2e9 + i * 1e6)
      expect(sent.length + schedule.dropped).toBe(added)
    }),
  )
})
