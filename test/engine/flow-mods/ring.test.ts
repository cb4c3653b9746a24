import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FlowModRing } from '../../../engine/flow-mods/ring.ts'

test('messages come out as they went in, whatever their lengths and however the ring wraps', () => {
  const length = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 0xffff }))
  const step = fc.record({ length, stream: fc.nat(1000), tableId: fc.boolean(), read: fc.nat(4) })
  fc.assert(
    fc.property(fc.array(step, { minLength: 60, maxLength: 200 }), (steps) => {
      const writer = new FlowModRing()
      const reader = new FlowModRing(writer.memory)
      const expected: [stream: number, tableId: boolean, bytes: Uint8Array][] = []
      let done = 0
      const read = (): void => {
        const bytes = reader.next()!
        const [stream, tableId, sent] = expected.shift()!
        expect([reader.stream, reader.tableIdExtension]).toEqual([stream, tableId])
        expect(Buffer.compare(bytes, sent)).toBe(0)
        reader.release(1)
        expect(writer.done).toBe(++done)
      }
      for (const [i, s] of steps.entries()) {
        const bytes = new Uint8Array(s.length).fill(i)
        while (!writer.push(s.stream, bytes, s.tableId)) read()
        expected.push([s.stream, s.tableId, bytes])
        for (let n = 0; n < s.read && expected.length > 0; n++) read()
      }
      while (expected.length > 0) read()
      expect(reader.next()).toBeUndefined()
    }),
    { numRuns: 10 },
  )
})

test('who writes is told of the count that it wants, once', () => {
  const writer = new FlowModRing()
  const reader = new FlowModRing(writer.memory)
  for (let i = 0; i < 4; i++) writer.push(1, Uint8Array.of(i), false)
  writer.want(3)
  expect([reader.release(1), reader.release(1), reader.release(1), reader.release(1)]).toEqual([
    false,
    false,
    true,
    false,
  ])
})
