import { expect, test } from 'vitest'
import { TRUNK_ALL } from '../../engine/dpif.ts'
import type { MemoryNetdev } from '../../engine/netdev/memory.ts'
import { ServedPorts } from '../../engine/served-ports.ts'
import { Poller } from '../../engine/sys/poller.ts'
import { makeFrame } from '../support/frames.ts'
import { SwitchLab } from '../support/switch-lab.ts'

const A = 0x020000000001
const B = 0x020000000002

test('where frames came from a short time ago it is looked for answers while frames are handed over', () => {
  const lab = new SwitchLab()
  const ports = new ServedPorts(lab.local.datapath, new Poller(2), () => {})
  lab.bridge('br')
  let answers = false
  const a = lab.local.device({ name: 'a' })
  const b = lab.local.device({
    name: 'b',
    onSend: () => answers && b.inject(makeFrame({ src: B, dst: A })),
  })
  for (const device of [a, b]) {
    const kind = { type: 'memory', key: device.name } as const
    ports.add(lab.commands.portPut({ name: device.name, bridge: 'br', vlan: TRUNK_ALL, kind }).portNo, device)
  }
  const arrivesAt = (time: number, device: MemoryNetdev, frame: Uint8Array) => {
    lab.local.datapath.now = time
    device.inject(frame)
    ports.lookEverywhere()
    return ports.turn()
  }
  const request = makeFrame({ src: A, dst: B })

  expect(arrivesAt(1000, b, makeFrame({ src: B, dst: A }))).toBe(1)
  expect(ports.busy).toBe(false)
  answers = true
  expect(arrivesAt(1001, a, request)).toBe(1)
  expect(ports.busy).toBe(true)
  expect(ports.turn()).toBe(1)
  expect(ports.busy).toBe(false)

  expect(arrivesAt(2000, a, request)).toBe(1)
  expect(ports.busy).toBe(false)
})
