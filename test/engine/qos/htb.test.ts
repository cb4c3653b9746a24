import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Htb, type HtbClass } from '../../../engine/qos/htb.ts'
import { fluidShares } from '../../reference/htb.ts'

/** Bytes a millisecond. */
const mbit = (n: number): number => (n * 1e6) / 8 / 1000

const BURST = 1564

/** Lets all of `backlogged` send frames of their size as they may, for so many milliseconds; bytes by class. */
function run(
  htb: Htb,
  backlogged: readonly number[],
  sizeOf: (c: number) => number,
  from: number,
  span: number,
): number[] {
  const sent = new Array<number>(htb.count).fill(0)
  htb.waiting.fill(0)
  for (const c of backlogged) htb.waiting[c] = 1
  for (let at = Math.max(from, htb.nextDue()); at <= from + span; at = Math.max(at, htb.nextDue())) {
    htb.now = at
    const c = htb.pick()
    if (c < 0) throw new Error(`nobody may send at ${at}`)
    const bytes = sizeOf(c)
    htb.charge(c, bytes)
    sent[c] += bytes
  }
  return sent
}

const classArb: fc.Arbitrary<HtbClass> = fc
  .record({
    rate: fc.integer({ min: 2, max: 200 }),
    more: fc.integer({ min: 0, max: 2000 }),
    // Enough that who waits for its turn does not lose what its ceiling allows it meanwhile.
    burst: fc.integer({ min: 30_000, max: 60_000 }),
    priority: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ rate, more, ...rest }) => ({ rate, ceil: rate + more, ...rest }))

const classesArb = fc
  .array(classArb, { minLength: 1, maxLength: 6 })
  .map((classes) => classes.sort((a, b) => a.priority - b.priority))

test('shares are those of the fluid twin, whatever the classes, the sizes of frames and who has some', () => {
  fc.assert(
    fc.property(
      classesArb,
      fc.integer({ min: 0, max: 3000 }),
      fc.array(fc.integer({ min: 500, max: 1514 }), { minLength: 6, maxLength: 6 }),
      fc.integer({ min: 1, max: 63 }),
      (classes, spare, sizes, mask) => {
        const rate = classes.reduce((sum, c) => sum + c.rate, 0) + spare
        const capped = classes.map((c) => ({ ...c, ceil: Math.min(c.ceil, rate) }))
        const backlogged = capped.flatMap((_, i) => ((mask >> i) & 1 ? [i] : []))
        const htb = new Htb(rate, BURST, capped, 0)
        const span = 4000
        // Rounds and bursts are over before it counts.
        run(htb, backlogged, (c) => sizes[c], 0, span)
        const sent = run(htb, backlogged, (c) => sizes[c], span, span)
        const shares = fluidShares(rate, capped, backlogged)
        for (const i of backlogged) {
          const tolerance = shares[i] * 0.02 + rate * 0.01 + 25
          expect(Math.abs(sent[i] / span - shares[i]), `class ${i}`).toBeLessThan(tolerance)
        }
      },
    ),
    { numRuns: 40 },
  )
})

describe('classes of 2 and 4 of 10 Mbit/s', () => {
  const classes = (a: Partial<HtbClass> = {}, b: Partial<HtbClass> = {}): HtbClass[] => [
    { rate: mbit(2), ceil: mbit(10), burst: BURST, priority: 0, ...a },
    { rate: mbit(4), ceil: mbit(10), burst: BURST, priority: 0, ...b },
  ]
  const shares = (all: HtbClass[], backlogged: number[]): number[] => {
    const htb = new Htb(mbit(10), BURST, all, 0)
    return run(htb, backlogged, () => 1000, 0, 10_000).map(
      (bytes) => Math.round(bytes / 10_000 / mbit(0.1)) / 10,
    )
  }

  test('share what is left in proportion to their guarantees', () => {
    expect(shares(classes(), [0, 1])).toEqual([3.3, 6.7])
  })
  test('each have all of it while the other is silent', () => {
    expect(shares(classes(), [0])).toEqual([10, 0])
    expect(shares(classes(), [1])).toEqual([0, 10])
  })
  test('leave to the smaller priority what is left, but not their guarantee', () => {
    expect(shares(classes({ priority: 0 }, { priority: 1 }), [0, 1])).toEqual([6, 4])
    expect(shares(classes({ priority: 1 }, { priority: 2 }), [0, 1])).toEqual([6, 4])
  })
  test('never exceed their ceiling', () => {
    expect(shares(classes({ ceil: mbit(3) }), [0])).toEqual([3, 0])
    expect(shares(classes({ ceil: mbit(3) }), [0, 1])).toEqual([3, 7])
  })
  test('share by bytes though the frames of one are 64 KB and those of the other are not', () => {
    const htb = new Htb(mbit(10), BURST, classes({}, { rate: mbit(2) }), 0)
    const sent = run(htb, [0, 1], (c) => (c === 0 ? 65_226 : 1000), 0, 60_000)
    expect(sent[0] / sent[1]).toBeGreaterThan(0.95)
    expect(sent[0] / sent[1]).toBeLessThan(1.05)
  })
})

test('an idle class saves up its burst and no more', () => {
  const htb = new Htb(mbit(10), 50_000, [{ rate: mbit(1), ceil: mbit(1), burst: 10_000, priority: 0 }], 0)
  htb.waiting[0] = 1
  let sent = 0
  htb.now = 60_000
  for (; htb.ready(0); sent += 500) htb.charge(0, 500)
  // The last frame goes before the bucket is in debt.
  expect(sent).toBe(10_500)
})

test('a frame longer than the burst goes, and the next waits for it', () => {
  const htb = new Htb(mbit(10), BURST, [{ rate: mbit(8), ceil: mbit(8), burst: BURST, priority: 0 }], 0)
  htb.waiting[0] = 1
  expect(htb.due(0)).toBe(0)
  htb.charge(0, 65_564)
  expect(htb.due(0)).toBeCloseTo((65_564 - BURST) / mbit(8), 6)
})

test('guarantees that exceed the port are kept, and the port is forgiven in the end', () => {
  const classes = [0, 1].map(() => ({ rate: mbit(8), ceil: mbit(10), burst: BURST, priority: 0 }))
  const htb = new Htb(mbit(10), BURST, classes, 0)
  const sent = run(htb, [0, 1], () => 1000, 0, 100_000)
  for (const bytes of sent) expect(bytes / 100_000).toBeCloseTo(mbit(8), 0)
  // A minute of silence pays for whatever was too much.
  htb.waiting.fill(0)
  const alone = run(htb, [0], () => 1000, 161_000, 10_000)
  expect(alone[0] / 10_000).toBeCloseTo(mbit(10), -1)
})
