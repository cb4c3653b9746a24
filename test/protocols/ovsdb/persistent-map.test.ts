import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PersistentMap } from '../../../protocols/ovsdb/persistent-map.ts'

// These four have one FNV-1a hash by pairs, found by search: they share a bucket.
const COLLIDING = ['costarring', 'liquid', 'declinate', 'macallums']

const key = fc.oneof(fc.constantFrom(...COLLIDING), fc.integer({ min: 0, max: 200 }).map(String))
const step = fc.oneof(
  fc.record({ set: key, to: fc.integer() }),
  fc.record({ delete: key }),
  fc.constant('done' as const),
)

const entries = <V>(map: { forEach(visit: (value: V, key: string) => void): void }) => {
  const all: [string, V][] = []
  map.forEach((value, k) => {
    all.push([k, value])
  })
  return all.sort(([a], [b]) => (a < b ? -1 : 1))
}

test('an edit is a Map, and every value that it was stays what it was', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const edit = PersistentMap.empty<number>().edit()
      const twin = new Map<string, number>()
      const snapshots: [PersistentMap<number>, Map<string, number>][] = []
      for (const s of steps) {
        if (s === 'done') {
          snapshots.push([edit.done(), new Map(twin)])
        } else if ('set' in s) {
          edit.set(s.set, s.to)
          twin.set(s.set, s.to)
        } else {
          edit.delete(s.delete)
          twin.delete(s.delete)
        }
      }
      snapshots.push([edit.done(), twin])
      for (const [map, expected] of snapshots) {
        expect(map.size).toBe(expected.size)
        expect(entries(map)).toEqual([...expected].sort(([a], [b]) => (a < b ? -1 : 1)))
        for (const k of COLLIDING) expect(map.get(k)).toBe(expected.get(k))
      }
    }),
  )
})

test('with and without leave the first map alone', () => {
  const one = PersistentMap.empty<string>().with('a', 'x')
  expect(one.with('b', 'y').without('a').values()).toEqual(['y'])
  expect(one.values()).toEqual(['x'])
  expect(one.without('b')).toMatchObject({ size: 1 })
})
