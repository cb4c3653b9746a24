import { expect, test } from 'vitest'
import { Rehearsal } from '../../engine/rehearsal.ts'

test('every packet of every conversation reaches the other side', () => {
  const rehearsal = new Rehearsal()
  const packets: number[] = []
  while (!rehearsal.done) packets.push(rehearsal.step())
  expect(packets.length).toBeGreaterThan(1000)
  expect(new Set(packets.map((count, n) => `${n % 2}: ${count}`))).toEqual(new Set(['0: 6', '1: 3']))
})
