import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PARITY_ANY, PortSet } from '../../../engine/conntrack/port-set.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { NaivePorts } from '../../reference/naive-ports.ts'

const port = fc.oneof(fc.integer({ min: 0, max: 130 }), fc.integer({ min: 65_400, max: 65_535 }))

const step = fc.oneof(
  fc.record({ do: fc.constant('take' as const), port }),
  fc.record({ do: fc.constant('release' as const), port }),
  fc.record({ do: fc.constant('reserve' as const), port, width: fc.integer({ min: 0, max: 70 }) }),
  fc.record({ do: fc.constant('unreserve' as const), port }),
  fc.record({
    do: fc.constant('search' as const),
    port,
    width: fc.integer({ min: 0, max: 100 }),
    parity: fc.constantFrom(PARITY_ANY, 0, 1),
  }),
)

test('a search finds a free port of the range and parity exactly when there is one', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), fc.integer(), (steps, seed) => {
      const ports = new PortSet()
      const naive = new NaivePorts()
      const random = seededRandom(seed)
      for (const s of steps) {
        if (s.do === 'take' && !naive.used.has(s.port)) {
          ports.take(s.port)
          naive.used.add(s.port)
        } else if (s.do === 'release' && naive.used.has(s.port)) {
          ports.release(s.port)
          naive.used.delete(s.port)
        } else if (s.do === 'reserve') {
          const last = Math.min(65_535, s.port + s.width)
          ports.reserve(s.port, last)
          for (let p = s.port; p <= last; p++) naive.reserved.add(p)
        } else if (s.do === 'unreserve') {
          ports.unreserve()
          naive.reserved.clear()
        } else if (s.do === 'search') {
          const last = Math.min(65_535, s.port + s.width)
          const candidates = naive.candidates(s.port, last, s.parity)
          const found = ports.search(s.port, last, s.parity, random)
          if (candidates.size === 0) expect(found).toBe(-1)
          else expect(candidates.has(found)).toBe(true)
        }
        const { port } = s
        const known = [naive.used.size, naive.free(port), naive.used.has(port)]
        expect([ports.count, ports.free(port), ports.has(port)]).toEqual(known)
      }
    }),
  )
})

test('every free port is found in the end', () => {
  const ports = new PortSet()
  const random = seededRandom(3)
  for (let i = 0; i < 65_536; i++) {
    const p = ports.search(0, 65_535, PARITY_ANY, random)
    if (p < 0) throw new Error(`only ${i} ports are found`)
    ports.take(p)
  }
  expect(ports.search(0, 65_535, PARITY_ANY, random)).toBe(-1)
  ports.release(4711)
  expect(ports.search(0, 65_535, PARITY_ANY, random)).toBe(4711)
})
