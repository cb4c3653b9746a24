import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { LOOKS_AT_PORTS } from '../../bench/growth/flows.ts'
import { bridged, routed } from '../../bench/pipeline/topologies.ts'
import { TRUNK_ALL } from '../../engine/dpif.ts'
import { BURST } from '../../engine/memory/packet-pool.ts'
import { makeFrame } from '../support/frames.ts'
import { SwitchLab, vlan } from '../support/switch-lab.ts'

/** Rounds at the most: before a busy machine has compiled what runs, each burst leaves a number on the heap. */
const PATIENCE = 15
const FRAMES = 200_000
const STATIONS = 64

/** Bytes the heap grows by while `run` runs; undefined when a collection came between. */
function growth(run: () => void): number | undefined {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  gc()
  let last = process.memoryUsage().heapUsed
  const first = last
  for (let i = 0; i < 20; i++) {
    run()
    const now = process.memoryUsage().heapUsed
    if (now < last) return undefined
    last = now
  }
  return last - first
}

test.each([
  ['a bridge', (lab: SwitchLab) => lab.port('b', 'br')],
  ['an access port to a trunk', (lab: SwitchLab) => lab.port('a', 'br', vlan({ mode: 'access', tag: 5 }))],
  [
    'a bridge of which few packets are sampled',
    (lab: SwitchLab) => {
      const all = { chance: 1, obsDomainId: 0, obsPointId: 0, input: true, output: true }
      lab.commands.samplingPut('br', { all })
    },
  ],
  [
    'two bridges',
    (lab: SwitchLab) => {
      lab.bridge('far')
      lab.patch('p', 'br', 'q')
      lab.patch('q', 'far', 'p')
      lab.port('b', 'far')
    },
  ],
  [
    'a port with queues',
    (lab: SwitchLab) => {
      const qos = { type: 'linux-htb', maxRate: 1e12, queues: [{ queue: 1, priority: 1 }] } as const
      lab.port('b', 'br', TRUNK_ALL, { qos })
    },
  ],
])('in the steady state frames across %s allocate nothing', (_name, arrange) => {
  const lab = new SwitchLab({ emcEntries: 1024 })
  lab.bridge('br')
  lab.port('a', 'br')
  lab.port('b', 'br')
  arrange(lab)
  const dp = lab.local.datapath
  // Sent frames go nowhere: what is measured is the switch, not the test's memory of it.
  let sent = 0
  const [from, to] = ['a', 'b'].map((name) => lab.commands.ports().find((p) => p.name === name)!.portNo)
  dp.setDevice(to, {
    name: 'sink',
    fd: -1,
    offloads: 0,
    stats: lab.device('b').stats,
    mtu: 1500,
    state: 'up',
    waiting: 0,
    rx: () => 0,
    tx: () => {
      sent++
    },
    prepare: () => {},
    flush: () => {},
    refresh: () => {},
    close: () => {},
  })
  const frames = Array.from({ length: STATIONS }, (_, i) =>
    makeFrame({ dst: 0x0200_0000_0b00, src: 0x0200_0000_0a00 + i, type: 0x0800 }),
  )
  const burst = new Uint32Array(BURST)
  let next = 0
  const run = () => {
    for (let n = 0; n < FRAMES / 20; n += BURST) {
      for (let i = 0; i < BURST; i++) {
        const h = dp.pool.alloc()
        const frame = frames[next]
        next = (next + 1) % STATIONS
        const at = dp.pool.off[h]
        for (let k = 0; k < frame.length; k++) dp.pool.u8[at + k] = frame[k]
        dp.pool.len[h] = frame.length
        burst[i] = h
      }
      dp.now += 0.01
      dp.receive(burst, BURST, from)
    }
  }
  for (let i = 0; i < 20; i++) run()
  const before = lab.commands.stats()
  let least = Number.POSITIVE_INFINITY
  for (let n = 0; n < PATIENCE && least / FRAMES >= 0.5; n++) least = Math.min(least, growth(run) ?? least)
  const after = lab.commands.stats()
  expect(after.upcalls).toBe(before.upcalls)
  expect(sent).toBeGreaterThan(FRAMES)
  expect(least / FRAMES).toBeLessThan(0.5)
})

/** More than are seen here. */
const NEW_FLOWS = 1 << 16

test.each([
  // Each needs a translation, a connection, and room for it, for which another goes.
  ['connections through SNAT', () => routed({ size: 64, flows: NEW_FLOWS }, true, 1024), 448],
  ['flows that need a megaflow', () => bridged({ size: 64, flows: NEW_FLOWS }, LOOKS_AT_PORTS), 128],
])('new %s allocate next to nothing', (_name, build, bytes) => {
  const { datapath, source, sink } = build()
  const { portNo } = datapath.topology.portsByName.get(source.name)!
  const burst = new Uint32Array(BURST)
  const bursts = 4
  let frames = 0
  const run = () => {
    for (let i = 0; i < bursts; i++) datapath.receive(burst, source.rx(burst, BURST), portNo)
    frames += bursts * BURST
  }
  for (let i = 0; i < 160; i++) run()
  frames = 0
  const before = { upcalls: datapath.upcalls, sent: sink.sent }
  const most = bytes * 20 * bursts * BURST
  let least = Number.POSITIVE_INFINITY
  for (let n = 0; n < PATIENCE && least >= most; n++) least = Math.min(least, growth(run) ?? least)
  expect({ upcalls: datapath.upcalls - before.upcalls, sent: sink.sent - before.sent }).toEqual({
    upcalls: frames,
    sent: frames,
  })
  expect(least).toBeLessThan(most)
})
