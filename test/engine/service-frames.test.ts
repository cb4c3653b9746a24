import { expect, test } from 'vitest'
import { AnswerOutlet } from '../../engine/answer-outlet.ts'
import { DpifError } from '../../engine/dpif.ts'
import { DropCounters } from '../../engine/drops.ts'
import { FrameReader, frameRing } from '../../engine/frame-ring.ts'
import { AnswerIntake } from '../../engine/service-frames.ts'

/** Both ends of the ring for answers; what has been sent stands in `sent`. */
function pair(laneBytes = 1 << 16) {
  const memory = frameRing(laneBytes)
  const sent: string[] = []
  let roused = 0
  const outlet = new AnswerOutlet(memory, () => roused++)
  const drops = new DropCounters()
  const known = (router: string) => {
    if (router !== 'rt') throw new DpifError('ENOENT', `no router ${router}`)
  }
  const commands = {
    routerOutput: (router: string, iface: string, frame: Uint8Array) => {
      known(router)
      sent.push(`${router} ${iface} ${frame.join()}`)
    },
    routerSend: (router: string, datagram: Uint8Array) => {
      known(router)
      sent.push(`${router} ${datagram.join()}`)
    },
  }
  const intake = new AnswerIntake(new FrameReader(memory), commands, drops)
  return { outlet, intake, sent, drops, roused: () => roused }
}

test('answers go out of an interface or the way that the router knows, in order', () => {
  const { outlet, intake, sent, drops } = pair()
  expect(intake.dueAt()).toBe(Number.POSITIVE_INFINITY)
  outlet.put('rt', 'eth0', Uint8Array.of(1, 2))
  outlet.put('rt', undefined, Uint8Array.of(3))
  outlet.put('rt', 'eth0', Uint8Array.of(4))
  expect(intake.dueAt()).toBeLessThanOrEqual(7)
  intake.take(7)
  // Each way has a lane of its own.
  expect(sent).toEqual(['rt eth0 1,2', 'rt eth0 4', 'rt 3'])
  expect(drops.named()).toEqual({})
})

test('an answer whose router has gone is counted, and those behind it go out', () => {
  const { outlet, intake, sent, drops } = pair()
  outlet.put('gone', undefined, Uint8Array.of(1))
  outlet.put('rt', undefined, Uint8Array.of(2))
  intake.take(7)
  expect(sent).toEqual(['rt 2'])
  expect(drops.named()).toEqual({ 'port-down': 1 })
})

test('the dataplane is roused once for what is said in one turn, and for long turns on the way', async () => {
  const { outlet, roused } = pair()
  outlet.put('rt', undefined, Uint8Array.of(1))
  outlet.put('rt', undefined, Uint8Array.of(2))
  expect(roused()).toBe(0)
  await Promise.resolve()
  expect(roused()).toBe(1)
  for (let i = 0; i < 100; i++) outlet.put('rt', undefined, Uint8Array.of(i))
  expect(roused()).toBe(1 + 3)
  await Promise.resolve()
  expect(roused()).toBe(1 + 3 + 1)
})

test('many answers go out in bursts with pauses between them', () => {
  const { outlet, intake, sent } = pair()
  for (let i = 0; i < 270; i++) outlet.put('rt', undefined, Uint8Array.of(i))
  intake.take(10)
  // The first record says which way they go.
  expect(sent).toHaveLength(127)
  expect(intake.dueAt()).toBe(11)
  intake.take(10.5)
  expect(sent).toHaveLength(127)
  intake.take(11)
  intake.take(12)
  expect(sent).toHaveLength(270)
  expect(intake.dueAt()).toBe(Number.POSITIVE_INFINITY)
})

test('what finds no room is refused', () => {
  const { outlet, intake } = pair(1 << 10)
  let room = 0
  while (outlet.put('rt', undefined, new Uint8Array(100))) room++
  expect(room).toBeGreaterThan(4)
  for (let at = 1; intake.dueAt() <= at; at++) intake.take(at)
  expect(outlet.put('rt', undefined, new Uint8Array(100))).toBe(true)
})
