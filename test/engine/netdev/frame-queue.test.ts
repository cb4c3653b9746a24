import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAX_FRAME } from '../../../engine/memory/packet-pool.ts'
import { FrameQueue } from '../../../engine/netdev/frame-queue.ts'

const LONGEST = 10_000
const FRAMES = 12

const same = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0

test('behaves as a list of frames, whatever is pushed and shifted', () => {
  const step = fc.oneof(
    { weight: 2, arbitrary: fc.integer({ min: 1, max: LONGEST }).map((len) => ({ len })) },
    { weight: 1, arbitrary: fc.constant({ len: 0 }) },
  )
  let refusedForFrames = 0
  let refusedForBytes = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
      const queue = new FrameQueue(FRAMES, 70_000)
      const model: Uint8Array[] = []
      let next = 0
      for (const { len } of steps) {
        if (len === 0) {
          expect(same(queue.shift(), model.shift())).toBe(true)
        } else {
          const frame = new Uint8Array(len).fill(++next)
          const held = model.reduce((total, f) => total + f.length, 0)
          if (queue.push(frame, 0, len)) {
            model.push(frame)
            expect(model.length).toBeLessThanOrEqual(FRAMES)
            expect(held + len).toBeLessThanOrEqual(70_000)
          } else if (model.length === FRAMES) refusedForFrames++
          // A frame is not split: what is free may lie in two pieces, one too short for this frame and the other
          // for this one or an earlier one.
          else if (held + len + LONGEST > 70_000) refusedForBytes++
          else throw new Error(`refused ${len} bytes beside ${held}`)
        }
        expect(queue.length).toBe(model.length)
      }
      while (queue.length > 0) expect(same(queue.shift(), model.shift())).toBe(true)
      expect(model.length).toBe(0)
    }),
    { endOnFailure: true },
  )
  expect(refusedForFrames).toBeGreaterThan(0)
  expect(refusedForBytes).toBeGreaterThan(0)
})

test('an empty queue holds the largest frame', () => {
  const queue = new FrameQueue(2, 10)
  expect(queue.push(new Uint8Array(MAX_FRAME), 0, MAX_FRAME)).toBe(true)
  expect(queue.push(new Uint8Array(1), 0, 1)).toBe(false)
  expect(queue.shift()!.length).toBe(MAX_FRAME)
  expect(queue.shift()).toBeUndefined()
})
