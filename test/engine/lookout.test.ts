import { expect, test } from 'vitest'
import { Lookout } from '../../engine/lookout.ts'

test('after a short sleep it is waited awake behind each frame, until that was in vain for once', () => {
  const lookout = new Lookout(0.05)
  lookout.seen(1)
  expect(lookout.lasts(1)).toBe(false)
  lookout.slept(0.049)
  expect(lookout.lasts(1)).toBe(false)
  lookout.seen(2)
  expect([lookout.lasts(2), lookout.lasts(2.049), lookout.lasts(2.05)]).toEqual([true, true, false])
  lookout.seen(2.04)
  expect(lookout.lasts(2.08)).toBe(true)
  lookout.slept(0.05)
  lookout.seen(3)
  expect(lookout.lasts(3)).toBe(false)
})

test('who has no limit never waits awake', () => {
  const lookout = new Lookout(0)
  lookout.slept(0)
  lookout.seen(1)
  expect(lookout.lasts(1)).toBe(false)
})
