import { expect, test } from 'vitest'
import { now } from '../../../engine/sys/clock.ts'
import { systemRandom } from '../../../engine/sys/random.ts'

test('random numbers are 32 bits wide, differ, and outlast the pool they are drawn from', () => {
  const random = systemRandom()
  const numbers = Array.from({ length: 5000 }, random)
  expect(numbers.every((n) => Number.isInteger(n) && n >= 0 && n <= 0xffffffff)).toBe(true)
  // Among 5,000 of 2^32 a collision or two may happen; each bit is set in about half.
  expect(new Set(numbers).size).toBeGreaterThan(4990)
  for (let bit = 0; bit < 32; bit++) {
    const set = numbers.filter((n) => (n >>> bit) & 1).length
    expect(set).toBeGreaterThan(2000)
    expect(set).toBeLessThan(3000)
  }
  expect(systemRandom()()).not.toBe(numbers[0])
})

test('the clock counts milliseconds since 1970 and does not run backwards', () => {
  const readings = Array.from({ length: 1000 }, now)
  expect(readings.every((t, i) => i === 0 || t >= readings[i - 1])).toBe(true)
  expect(new Date(readings[0]).getUTCFullYear()).toBeGreaterThanOrEqual(2024)
})
