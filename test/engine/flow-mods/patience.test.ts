import { expect, test } from 'vitest'
import { Patience } from '../../../engine/flow-mods/patience.ts'

test('it is waited awake for a while, and not at all for some time after an interruption', () => {
  const patience = new Patience(0.1)
  expect(patience.lasts(4.999, 5)).toBe(false)
  patience.begin(5)
  expect([patience.lasts(5, 5.01), patience.lasts(5.09, 5.099), patience.lasts(5.1, 5.101)]).toEqual([
    true,
    true,
    false,
  ])
  patience.begin(6)
  expect([patience.lasts(6, 6.05), patience.lasts(6.05, 6.06)]).toEqual([true, false])
  patience.begin(7)
  expect(patience.lasts(7, 7.01)).toBe(false)
  patience.begin(9)
  expect(patience.lasts(9, 9.01)).toBe(true)
})
