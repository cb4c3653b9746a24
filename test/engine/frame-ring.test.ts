import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PacketInTemplate } from '../../engine/dpif-pipeline.ts'
import { FrameReader, FrameWriter, frameRing } from '../../engine/frame-ring.ts'
import { emptyMatch } from '../../protocols/openflow/match.ts'

const templates = new Map<number, PacketInTemplate>()

function makeTemplate(id: number): PacketInTemplate {
  return {
    bridge: `br${id % 3}`,
    reason: 'action',
    table: 0,
    cookie: BigInt(id),
    metadata: emptyMatch(),
    maxLen: 128,
    controllerId: 0,
    userdata: Uint8Array.of(id),
  }
}

/** As the dataplane keeps them: one object for each number. */
function templateOf(id: number): PacketInTemplate {
  const template = templates.get(id) ?? makeTemplate(id)
  templates.set(id, template)
  return template
}

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')

/** Both ends of one ring, and what should stand in it: by bridge, in order. */
class Pair {
  readonly #memory = frameRing(1 << 18)
  readonly writer = new FrameWriter<PacketInTemplate>(this.#memory)
  readonly reader = new FrameReader<PacketInTemplate>(this.#memory)
  readonly expected = new Map<number, string[]>()
  readonly taken: string[] = []

  /** Whether there was room. */
  put(bridge: number, id: number, length: number): boolean {
    const bytes = new Uint8Array(length + 3)
    for (let i = 0; i < bytes.length; i++) bytes[i] = i * 7 + id
    const fits = this.writer.put(bridge, id, templateOf(id), bytes, 3, length)
    if (fits) {
      const text = `${bridge} ${BigInt(id)} ${length} ${textOf(bytes.subarray(3))}`
      const expected = this.expected.get(bridge)
      if (expected === undefined) this.expected.set(bridge, [text])
      else expected.push(text)
    }
    return fits
  }

  drain(): boolean {
    return this.reader.drain((template, packet) => {
      // A bridge's packets stand in order; which bridge it is, is told by the packet here.
      this.taken.push(`${template.cookie} ${packet.length} ${textOf(packet)}`)
    })
  }
}

const all = (pair: Pair) => [...pair.expected.values()].flat().map((s) => s.replace(/^\d+ /, ''))

test('what goes in comes out, whole, in order and with its template, however full the ring gets', () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ id: fc.integer({ min: 1, max: 900 }), length: fc.nat(1600) }) },
    { weight: 1, arbitrary: fc.record({ id: fc.integer({ min: 1, max: 5 }), length: fc.nat(70_000) }) },
    { weight: 1, arbitrary: fc.constant('drain' as const) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const pair = new Pair()
      for (const s of steps) {
        if (s === 'drain') pair.drain()
        else pair.put(5, s.id, s.length)
      }
      while (pair.drain());
      expect(pair.taken).toEqual(all(pair))
    }),
    { numRuns: 10 },
  )
})

test('a full lane refuses, goes on where it left off, and leaves the others open', () => {
  const pair = new Pair()
  let fits = 0
  while (pair.put(0, 1, 1000)) fits++
  expect(fits).toBeGreaterThan(200)
  expect(fits).toBeLessThan(300)
  expect(pair.put(8, 2, 1000)).toBe(false)
  expect(pair.put(1, 2, 1000)).toBe(true)
  // The other bridge's packet is among the first that are taken, not behind the flood.
  pair.drain()
  expect(pair.taken.slice(0, 40).some((s) => s.startsWith('2 '))).toBe(true)
  while (pair.drain());
  expect(pair.taken).toHaveLength(fits + 1)
  expect(pair.put(0, 1, 1000)).toBe(true)
})

test('a packet that no lane could hold is refused', () => {
  const pair = new Pair()
  expect(pair.put(0, 1, 200_000)).toBe(false)
  expect(pair.put(0, 1, 100_000)).toBe(true)
})

test('the reader is woken once for all that came while it slept, and not while it is at it', () => {
  const pair = new Pair()
  expect(pair.writer.mustWake).toBe(false)
  pair.put(0, 1, 60)
  pair.put(0, 1, 60)
  expect([pair.writer.mustWake, pair.writer.mustWake]).toEqual([true, false])
  pair.put(0, 1, 60)
  expect(pair.writer.mustWake).toBe(false)
  expect(pair.drain()).toBe(false)
  expect(pair.taken).toHaveLength(3)
  pair.put(0, 1, 60)
  expect(pair.writer.mustWake).toBe(true)
})

test('in a flood the reader stops every so often', () => {
  const pair = new Pair()
  for (let i = 0; i < 1000; i++) pair.put(0, 1, 60)
  expect(pair.drain()).toBe(true)
  expect(pair.taken.length).toBeLessThan(400)
})
