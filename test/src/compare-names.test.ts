import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareNames } from '../../src/compare-names.ts'

test('names come in the order that people expect', () => {
  const names = [
    '',
    '2',
    '10',
    'br-ex',
    'br-in',
    'eth',
    'eth1',
    'Eth2',
    'eth010',
    'eth10',
    'eth10.5',
    'p2a',
    'p10',
  ]
  expect([...names].reverse().sort(compareNames)).toEqual(names)
})

test('it is an order: whatever is not the same comes before or after', () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'B', 'b', '0', '1', '9', '-'), maxLength: 6 })
  fc.assert(
    fc.property(name, name, name, (a, b, c) => {
      expect(Math.sign(compareNames(a, b))).toBe(-Math.sign(compareNames(b, a)) + 0)
      expect(compareNames(a, b) === 0).toBe(a === b)
      if (compareNames(a, b) < 0 && compareNames(b, c) < 0) expect(compareNames(a, c)).toBeLessThan(0)
    }),
  )
})
