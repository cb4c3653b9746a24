import { expect, test } from 'vitest'
import { MAX_PROGRAM } from '../../../engine/actions/program-builder.ts'
import { ProgramStore } from '../../../engine/classifier/program-store.ts'
import { seededRandom } from '../../../protocols/random.ts'

test('programs keep their words and place while others come and go, up to the limit', () => {
  const random = seededRandom(5)
  const store = new ProgramStore(1 << 17)
  const alive = new Map<number, Int32Array>()
  let refused = 0
  for (let i = 0; i < 5_000; i++) {
    if (alive.size > 0 && random() % 5 < 2) {
      const [at, code] = [...alive][random() % alive.size]
      expect(store.code.slice(at, at + code.length)).toEqual(code)
      store.free(at, code.length)
      alive.delete(at)
      continue
    }
    const length = 1 + (random() % (random() % 10 === 0 ? MAX_PROGRAM : 40))
    const code = Int32Array.from({ length }, () => random() | 0)
    const at = store.put(code, length)
    if (at < 0) refused++
    else {
      expect(alive.has(at)).toBe(false)
      alive.set(at, code)
    }
  }
  expect(refused).toBeGreaterThan(0)
  expect(store.code.length).toBeLessThanOrEqual(1 << 17)
  const spans = [...alive].map(([at, c]) => [at, at + c.length]).sort((a, b) => a[0] - b[0])
  for (let i = 1; i < spans.length; i++) expect(spans[i][0]).toBeGreaterThanOrEqual(spans[i - 1][1])
})

test('the longest program finds a place, a longer one does not', () => {
  const store = new ProgramStore(1 << 16)
  expect(store.put(new Int32Array(MAX_PROGRAM), MAX_PROGRAM)).toBe(0)
  expect(store.put(new Int32Array(MAX_PROGRAM + 1), MAX_PROGRAM + 1)).toBe(-1)
})
