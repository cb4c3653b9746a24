import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { CapturedFrame } from '../../../engine/dpif.ts'
import { readPcapng } from '../../../protocols/wire/pcapng-reader.ts'
import { CaptureHub } from '../../../src/daemon/capture.ts'
import { FakeDpif } from '../../support/fake-dpif.ts'

const frame = (length: number, more: Partial<CapturedFrame> = {}): CapturedFrame => ({
  time: 1_700_000_000_000,
  direction: 'in',
  frame: new Uint8Array(length).fill(length),
  originalLength: length,
  ...more,
})

const tick = () => new Promise((resolve) => setImmediate(resolve))

test('frames of several ports are one file, with direction, interface and the reason of a drop', async () => {
  const dpif = new FakeDpif()
  const hub = new CaptureHub(dpif.door)
  const output = new PassThrough()
  const running = hub.run({ ports: ['a', 'b'], count: 3, snaplen: 64 }, output, new AbortController().signal)
  await tick()
  hub.deliver({ type: 'capture', port: 'a', frames: [frame(60)], lost: 0 })
  hub.deliver({
    type: 'capture',
    port: 'b',
    frames: [frame(100, { direction: 'out', dropped: 'no-such-vlan' })],
    lost: 0,
  })
  hub.deliver({ type: 'capture', port: 'a', frames: [frame(61), frame(62)], lost: 5 })
  await running
  const file = readPcapng(new Uint8Array(output.read()))
  expect(file?.interfaces.map((i) => i.name)).toEqual(['a', 'b'])
  expect(file?.packets.map((p) => [p.interfaceId, p.frame.length, p.originalLength, p.direction])).toEqual([
    [0, 60, 60, 1],
    [1, 64, 100, 2],
    [0, 61, 61, 1],
  ])
  expect(file?.packets[1]?.comment).toContain('dropped: no-such-vlan')
  expect(file?.packets[2]?.comment).toContain('5 frames')
  expect(dpif.calls.map((call) => call.slice(0, 2))).toEqual([
    ['captureStart', 'a'],
    ['captureStart', 'b'],
    ['captureStop', 'a'],
    ['captureStop', 'b'],
  ])
})

test('a port is watched as long as anybody watches it', async () => {
  const dpif = new FakeDpif()
  const hub = new CaptureHub(dpif.door)
  const leave = [new AbortController(), new AbortController()]
  const runs = leave.map(({ signal }) =>
    hub.run({ ports: ['a'], count: 9, snaplen: 64 }, new PassThrough(), signal),
  )
  await tick()
  leave[0]!.abort()
  await runs[0]
  expect(dpif.calls.map(([name]) => name)).toEqual(['captureStart'])
  leave[1]!.abort()
  await runs[1]
  expect(dpif.calls.map(([name]) => name)).toEqual(['captureStart', 'captureStop'])
})

test('a reader that is gone, or does not read, costs no memory without bound', async () => {
  const dpif = new FakeDpif()
  const hub = new CaptureHub(dpif.door)
  const output = new PassThrough()
  const running = hub.run(
    { ports: ['a'], count: Number.POSITIVE_INFINITY, snaplen: 262_144 },
    output,
    new AbortController().signal,
  )
  await tick()
  for (let i = 0; i < 2000; i++) {
    hub.deliver({ type: 'capture', port: 'a', frames: [frame(60_000)], lost: 0 })
  }
  expect(output.writableLength).toBeLessThan(20 * 1024 * 1024)
  output.destroy()
  await running
  expect(dpif.calls.map(([name]) => name)).toEqual(['captureStart', 'captureStop'])
})
