import { expect, test } from 'vitest'
import type { CapturedFrame } from '../../engine/dpif.ts'
import { BROADCAST, hex, makeFrame, tag } from '../support/frames.ts'
import { SwitchLab, vlan } from '../support/switch-lab.ts'

const A = 0x0200_0000_000a

function watched() {
  const lab = new SwitchLab({ cells: 600 })
  lab.bridge('br')
  lab.port('a', 'br')
  lab.port('b', 'br', vlan({ mode: 'access', tag: 5 }))
  const frames: CapturedFrame[] = []
  const lost = { count: 0 }
  lab.local.onEvent((event) => {
    if (event.type !== 'capture') return
    expect(event.port).toBe('a')
    frames.push(...event.frames)
    lost.count += event.lost
  })
  return { lab, frames, lost }
}

test('both directions are seen as the device sees them, cut to the snap length, with their time', () => {
  const { lab, frames } = watched()
  lab.commands.captureStart('a', 16)
  lab.now = 1234
  const tagged = makeFrame({ dst: BROADCAST, src: A, tags: [tag(5)] })
  const plain = makeFrame({ dst: BROADCAST, src: A + 1 })
  lab.send('a', tagged)
  lab.send('b', plain)
  const out = makeFrame({ dst: BROADCAST, src: A + 1, tags: [tag(5)] })
  expect(frames.map((f) => ({ ...f, frame: hex(f.frame) }))).toEqual([
    { time: 1234, direction: 'in', frame: hex(tagged.slice(0, 16)), originalLength: 22 },
    { time: 1234, direction: 'out', frame: hex(out.slice(0, 16)), originalLength: 22 },
  ])
})

test('a frame given up on stands there again, with the reason', () => {
  const { lab, frames } = watched()
  lab.commands.captureStart('a', 100)
  lab.send('a', makeFrame({ dst: 0x0180_c200_0000, src: A }))
  expect(frames.map((f) => [f.direction, f.dropped])).toEqual([
    ['in', undefined],
    ['in', 'bridge-reserved-address'],
  ])
})

test('a capture that was stopped, and that of a deleted port, says nothing more', () => {
  const { lab, frames } = watched()
  const frame = makeFrame({ dst: BROADCAST, src: A })
  lab.commands.captureStart('a', 100)
  lab.commands.captureStop('a')
  lab.send('a', frame)
  expect(frames).toEqual([])
  lab.commands.captureStart('a', 100)
  lab.deletePort('a')
  lab.port('a', 'br')
  lab.send('a', frame)
  expect(frames).toEqual([])
})

test('what comes faster than it is taken is counted, not kept', () => {
  const { lab, frames, lost } = watched()
  lab.commands.captureStart('a', 100)
  const frame = makeFrame({ dst: BROADCAST, src: A, tags: [tag(5)] })
  lab.send('a', ...Array.from({ length: 500 }, () => frame))
  expect(frames.length + lost.count).toBe(500)
  expect(frames).toHaveLength(256)
})
