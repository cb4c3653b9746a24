import { expect, test } from 'vitest'
import { MacTable } from '../../../src/controller/mac-table.ts'

test('the last port an address was heard on is remembered, by VLAN', () => {
  const macs = new MacTable()
  expect(macs.learn(0, 0, 'a', 1)).toBe(true)
  expect(macs.learn(1, 0, 'a', 1)).toBe(false)
  expect(macs.learn(2, 0, 'a', 2)).toBe(true)
  macs.learn(2, 5, 'a', 3)
  expect([macs.lookup(3, 0, 'a'), macs.lookup(3, 5, 'a'), macs.lookup(3, 6, 'a')]).toEqual([2, 3, undefined])
})

test('for five minutes', () => {
  const macs = new MacTable()
  macs.learn(0, 0, 'a', 1)
  expect(macs.lookup(300_000, 0, 'a')).toBe(1)
  expect(macs.lookup(300_001, 0, 'a')).toBeUndefined()
})

test('a flood of addresses drives out those that are silent, not those that speak', () => {
  const macs = new MacTable()
  macs.learn(0, 0, 'silent', 1)
  macs.learn(0, 0, 'busy', 2)
  for (let i = 0; i < 10_000; i++) {
    macs.learn(0, 0, `${i}`, 3)
    if (i % 1000 === 0) macs.learn(0, 0, 'busy', 2)
  }
  expect(macs.size).toBe(8192)
  expect(macs.lookup(0, 0, 'silent')).toBeUndefined()
  expect(macs.lookup(0, 0, 'busy')).toBe(2)
})
