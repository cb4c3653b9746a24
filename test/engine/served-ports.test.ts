import { expect, test } from 'vitest'
import { TRUNK_ALL } from '../../engine/dpif.ts'
import { BURST } from '../../engine/memory/packet-pool.ts'
import type { MemoryNetdev } from '../../engine/netdev/memory.ts'
import { ServedPorts } from '../../engine/served-ports.ts'
import { Poller } from '../../engine/sys/poller.ts'
import { makeFrame } from '../support/frames.ts'
import { SwitchLab } from '../support/switch-lab.ts'

const A = 0x020000000001
const B = 0x020000000002

/** A bridge between `a` and `b`, with what `b` does when it gets a frame. */
function pair(onSend: (b: MemoryNetdev) => unknown, served?: () => number) {
  const lab = new SwitchLab()
  const ports = new ServedPorts(
    lab.local.datapath,
    new Poller(2),
    () => {},
    () => false,
    served,
  )
  lab.bridge('br')
  const a = lab.local.device({ name: 'a' })
  const b: MemoryNetdev = lab.local.device({ name: 'b', onSend: () => onSend(b) })
  for (const device of [a, b]) {
    const kind = { type: 'memory', key: device.name } as const
    ports.add(lab.commands.portPut({ name: device.name, bridge: 'br', vlan: TRUNK_ALL, kind }).portNo, device)
  }
  const arrivesAt = (time: number, device: MemoryNetdev, frame: Uint8Array) => {
    lab.local.datapath.now = time
    device.inject(frame)
    ports.lookEverywhere()
    return ports.turn(time)
  }
  return { ports, a, b, arrivesAt }
}

const request = makeFrame({ src: A, dst: B })
const answer = makeFrame({ src: B, dst: A })

test('where frames came from a short time ago it is looked for answers while frames are handed over', () => {
  let answers = false
  const { ports, a, b, arrivesAt } = pair(() => answers && b.inject(answer))

  expect(arrivesAt(1000, b, answer)).toBe(1)
  expect(ports.busy).toBe(false)
  answers = true
  expect(arrivesAt(1001, a, request)).toBe(1)
  expect(ports.busy).toBe(true)
  expect(ports.turn(1001)).toBe(1)
  expect(ports.busy).toBe(false)

  expect(arrivesAt(2000, a, request)).toBe(1)
  expect(ports.busy).toBe(false)
})

test('frames for services say nothing of when others come', () => {
  let served = 0
  let serving = false
  const taken = () => {
    if (serving) served++
    a.inject(request)
  }
  const { ports, a, arrivesAt } = pair(taken, () => served)
  expect(arrivesAt(1000, a, request)).toBe(1)
  expect([ports.passedOn, ports.busy]).toEqual([1, true])
  serving = true
  expect(arrivesAt(2000, a, request)).toBe(2)
  expect([ports.passedOn, ports.busy]).toEqual([0, false])
})

test('a port that had frames for services only is left alone until they heed more, any other is not', () => {
  let served = 0
  let serving = true
  const { ports, a, b, arrivesAt } = pair(
    () => serving && served++,
    () => served,
  )
  arrivesAt(1000, a, request)
  expect(ports.rest(1000, 1000)).toBe(Number.POSITIVE_INFINITY)
  expect(ports.rest(1000, 1002)).toBe(1002)
  a.inject(request)
  expect(ports.turn(1001)).toBe(0)
  expect(ports.rest(1001, 1002)).toBe(1002)
  expect(ports.turn(1002)).toBe(1)

  serving = false
  expect(arrivesAt(1003, a, request)).toBe(1)
  expect(arrivesAt(1003, b, answer)).toBe(1)
  expect(ports.rest(1003, 1005)).toBe(Number.POSITIVE_INFINITY)
})

test('a frame for two services hides no frame of another port, and a whole burst for services says as much as a few', () => {
  let served = 0
  const { ports, a, b, arrivesAt } = pair(
    () => {
      served += 2
    },
    () => served,
  )
  a.inject(request)
  expect(arrivesAt(1000, b, answer)).toBe(2)
  expect(ports.passedOn).toBe(1)
  for (let i = 1; i < BURST; i++) a.inject(request)
  expect(arrivesAt(2000, a, request)).toBe(BURST)
  expect(ports.rest(2000, 2002)).toBe(2002)
})
