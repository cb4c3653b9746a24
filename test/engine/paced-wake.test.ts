import { expect, test } from 'vitest'
import { FrameReader, FrameWriter, frameRing } from '../../engine/frame-ring.ts'
import { PacedWake } from '../../engine/paced-wake.ts'

test('who reads is woken at once for a few frames, then once a millisecond, and sees all of them', () => {
  const memory = frameRing(1 << 12)
  const head = { name: 'service' }
  const writer = new FrameWriter<typeof head>(memory)
  const reader = new FrameReader<typeof head>(memory)
  const wake = new PacedWake(writer)
  const seen: number[] = []
  const wakings: number[] = []
  let sent = 0
  expect(wake.dueAt()).toBe(Number.POSITIVE_INFINITY)
  for (let at = 100; at < 110; at += 0.25) {
    if (at < 108) expect(writer.put(0, 0, head, Uint8Array.of(sent++), 0, 1)).toBe(true)
    if (!wake.due(at)) continue
    wakings.push(at)
    expect(wake.due(at)).toBe(false)
    reader.drain((_, frame) => seen.push(frame[0]))
  }
  expect(wakings).toEqual([100, 100.25, 100.5, 100.75, 101, 102, 103, 104, 105, 106, 107, 108])
  expect(seen).toEqual(Array.from({ length: sent }, (_, i) => i))
  expect(wake.dueAt()).toBe(Number.POSITIVE_INFINITY)
  // After a rest nobody waits.
  writer.put(0, 0, head, Uint8Array.of(1), 0, 1)
  expect(wake.dueAt()).toBeLessThanOrEqual(200)
  expect(wake.due(200)).toBe(true)
})
