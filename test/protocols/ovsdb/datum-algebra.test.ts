import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { integerResult, type Operator, realResult } from '../../../protocols/ovsdb/arithmetic.ts'
import type { ColumnType } from '../../../protocols/ovsdb/column-type.ts'
import { type Datum, datumOf, equalDatums } from '../../../protocols/ovsdb/datum.ts'
import {
  applyDiff,
  difference,
  diffOf,
  excludesAll,
  includesAll,
  subtract,
  union,
} from '../../../protocols/ovsdb/datum-algebra.ts'
import { INT64_MAX, INT64_MIN, integer } from '../../../protocols/ovsdb/json-value.ts'

const SET: ColumnType = { key: { type: 'integer' }, min: 0, max: Number.POSITIVE_INFINITY }
const MAP: ColumnType = { ...SET, value: { type: 'integer' } }

const keys = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 30 })
const set = keys.map((elements) => datumOf(elements))
const map = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 })), {
    maxLength: 30,
    selector: ([key]) => key,
  })
  .map((pairs) =>
    datumOf(
      pairs.map(([key]) => key),
      pairs.map(([, value]) => value),
    ),
  )

/** The obvious twin: a map from key to value, which of a set is the key. */
const twin = ({ keys: all, values }: Datum) => new Map(all.map((key, i) => [key, values?.[i] ?? key]))
const datum = (entries: Map<unknown, unknown>, like: Datum) => {
  const pairs = [...entries] as [number, number][]
  return datumOf(
    pairs.map(([key]) => key),
    like.values === undefined ? undefined : pairs.map(([, value]) => value),
  )
}
function expectSame(got: Datum, wanted: Datum): void {
  expect(equalDatums(got, wanted), JSON.stringify([got, wanted])).toBe(true)
}

describe.each([
  ['sets', set, SET],
  ['maps', map, MAP],
] as const)('%s', (_name, arbitrary, type) => {
  const both = (check: (a: Datum, b: Datum) => void) => fc.assert(fc.property(arbitrary, arbitrary, check))

  test('a union has every element, and of a key in both the first value', () => {
    both((a, b) => expectSame(union(a, b), datum(new Map([...twin(b), ...twin(a)]), a)))
  })

  test('what is subtracted is gone; of a map only if the value is the same', () => {
    both((a, b) => {
      const left = new Map([...twin(a)].filter(([key, value]) => twin(b).get(key) !== value))
      expectSame(subtract(a, b), datum(left, a))
    })
  })

  test('includes and excludes are what one expects', () => {
    both((a, b) => {
      const common = [...twin(b)].filter(([key, value]) => twin(a).get(key) === value).length
      expect(includesAll(a, b)).toBe(common === b.keys.length)
      expect(excludesAll(a, b)).toBe(common === 0)
      expect(includesAll(union(a, b), a)).toBe(true)
    })
  })

  test('the difference leads from one to the other, and both ways as one datum', () => {
    both((a, b) => {
      const { added, removed } = difference(a, b)
      expectSame(union(subtract(a, removed), added), b)
      expectSame(applyDiff(a, diffOf(a, b, type), type), b)
      expect(diffOf(a, a, type).keys).toEqual([])
    })
  })
})

test('of a map keys may be taken without their values', () => {
  fc.assert(
    fc.property(map, set, (a, b) => {
      const left = new Map([...twin(a)].filter(([key]) => !twin(b).has(key)))
      expectSame(subtract(a, b), datum(left, a))
    }),
  )
})

test('integers are calculated in 64 bits or not at all', () => {
  const int64 = fc.bigInt({ min: INT64_MIN, max: INT64_MAX })
  const operands = fc.oneof(int64, fc.bigInt({ min: -9n, max: 9n }))
  const exact: Record<Operator, (a: bigint, b: bigint) => bigint> = {
    '+=': (a, b) => a + b,
    '-=': (a, b) => a - b,
    '*=': (a, b) => a * b,
    '/=': (a, b) => a / b,
    '%=': (a, b) => a % b,
  }
  const operators = Object.keys(exact) as Operator[]
  fc.assert(
    fc.property(fc.constantFrom(...operators), operands, operands, (operator, a, b) => {
      const calculate = () => integerResult(operator, integer(a), integer(b))
      const divides = operator === '/=' || operator === '%='
      if (divides && b === 0n) {
        expect(calculate).toThrow('domain error')
        return
      }
      const result = exact[operator](a, b)
      const fits = result >= INT64_MIN && result <= INT64_MAX && !(divides && a === INT64_MIN && b === -1n)
      if (fits) expect(calculate()).toBe(integer(result))
      else expect(calculate).toThrow('range error')
    }),
  )
})

test('reals are finite', () => {
  expect(realResult('/=', 1, 4)).toBe(0.25)
  expect(Object.is(realResult('*=', -1, 0), 0)).toBe(true)
  expect(() => realResult('*=', 1e300, 1e300)).toThrow('range error')
  expect(() => realResult('/=', 1, 0)).toThrow('domain error')
})
