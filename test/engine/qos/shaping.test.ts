/** Queues of a whole switch, under a virtual clock. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TRUNK_ALL } from '../../../engine/dpif.ts'
import type { IngressPolicingSpec, QosSpec, QueueSpec } from '../../../engine/dpif-qos.ts'
import { GSO_TCPV4, VNET_NEEDS_CSUM } from '../../../engine/memory/packet-pool.ts'
import { OFFLOAD_CSUM, OFFLOAD_TSO4 } from '../../../engine/netdev/netdev.ts'
import { parseFlowLine } from '../../../protocols/openflow/text/flow-parse.ts'
import { SwitchLab } from '../../support/switch-lab.ts'

const HTB = (queues: readonly QueueSpec[], maxRate = 10e6): QosSpec => ({
  type: 'linux-htb',
  maxRate,
  queues,
})

/** What arrives at port `out`, with the time; port `in` sends by queue 0 to 9, as the frame's first byte says. */
class ShapedLab {
  readonly lab: SwitchLab
  readonly arrived: {
    readonly at: number
    readonly queue: number
    readonly bytes: number
    readonly serial: number
  }[] = []
  serial = 0

  constructor(qos: QosSpec | undefined, policing?: IngressPolicingSpec, cells = 256) {
    this.lab = new SwitchLab({ cells })
    const { lab } = this
    lab.bridge('br0', { failMode: 'secure' })
    lab.local.device({ name: 'in', queue: 4096 })
    lab.commands.portPut({
      name: 'in',
      bridge: 'br0',
      vlan: TRUNK_ALL,
      kind: { type: 'memory', key: 'in' },
      ...(policing === undefined ? {} : { ingressPolicing: policing }),
    })
    this.#out = lab.local.device({
      name: 'out',
      offloads: OFFLOAD_CSUM | OFFLOAD_TSO4,
      onSend: (frame) =>
        this.arrived.push({
          at: lab.now,
          queue: frame[5],
          bytes: frame.length,
          serial: new DataView(frame.buffer, frame.byteOffset).getUint32(14),
        }),
    })
    this.put(qos)
    for (let q = 0; q < 10; q++) {
      const line = `dl_dst=02:00:00:00:00:0${q},actions=enqueue:2:${q}`
      lab.commands.flowMod('br0', [parseFlowLine(line, undefined, 'add')], true)
    }
    this.#in = lab.local.datapath.device(1) as ReturnType<SwitchLab['device']>
  }

  readonly #in: ReturnType<SwitchLab['device']>
  readonly #out: ReturnType<SwitchLab['device']>

  get out() {
    return this.#out
  }

  put(qos: QosSpec | undefined): void {
    this.lab.commands.portPut({
      name: 'out',
      bridge: 'br0',
      vlan: TRUNK_ALL,
      kind: { type: 'memory', key: 'out' },
      ...(qos === undefined ? {} : { qos }),
    })
  }

  /** Sends a frame by a queue. */
  send(queue: number, size = 1000): void {
    const frame = new Uint8Array(size)
    frame.set([2, 0, 0, 0, 0, queue, 2, 0, 0, 0, 0, 99, 0x88, 0xb5])
    new DataView(frame.buffer).setUint32(14, this.serial++)
    this.#in.inject(frame)
  }

  /** A TCP segment of so many bytes of payload, to be cut every 1448. */
  sendLarge(queue: number, payload: number): void {
    const frame = new Uint8Array(54 + payload)
    const view = new DataView(frame.buffer)
    frame.set([2, 0, 0, 0, 0, queue, 2, 0, 0, 0, 0, 99, 8, 0, 0x45])
    view.setUint16(16, 40 + payload)
    frame.set([64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 22)
    frame[46] = 0x50
    this.#in.inject(frame, {
      flags: VNET_NEEDS_CSUM,
      gsoType: GSO_TCPV4,
      gsoSize: 1448,
      csumStart: 34,
      csumOffset: 16,
    })
  }

  /** Goes on until `until`, as the worker's loop does: never later than it is asked to. */
  run(until: number, every = Number.POSITIVE_INFINITY): void {
    for (;;) {
      this.lab.local.step(this.lab.now)
      if (this.lab.now >= until) return
      const due = Math.max(this.lab.local.pollAt(), this.lab.now)
      this.lab.now = Math.min(until, every === Number.POSITIVE_INFINITY ? due : this.lab.now + every)
    }
  }

  /** Keeps so many frames a millisecond coming by each queue; the bits a second by queue. */
  flood(queues: readonly number[], span: number): Record<number, number> {
    const from = this.lab.now
    const before = this.arrived.length
    while (this.lab.now < from + span) {
      for (const q of queues) for (let n = 0; n < 3; n++) this.send(q)
      this.run(this.lab.now + 1)
    }
    const bits: Record<number, number> = {}
    for (const { queue, bytes } of this.arrived.slice(before)) {
      bits[queue] = (bits[queue] ?? 0) + (bytes * 8 * 1000) / span
    }
    return bits
  }

  row(queue: number) {
    return this.lab.commands.queues().find((r) => r.queue === queue)!
  }

  get free(): number {
    return this.lab.local.datapath.pool.available
  }

  get drops(): Record<string, number> {
    return this.lab.commands.stats().drops
  }
}

const near = (bits: number, expected: number, by = 0.03): void => {
  expect(bits).toBeGreaterThan(expected * (1 - by))
  expect(bits).toBeLessThan(expected * (1 + by))
}

describe('linux-htb', () => {
  test('a queue has what it is guaranteed, its limit is kept, and the rest goes by priority', () => {
    const lab = new ShapedLab(
      HTB([
        { queue: 1, minRate: 1e6, maxRate: 2e6 },
        { queue: 2, minRate: 3e6, priority: 1 },
        { queue: 3, minRate: 1e6, priority: 0 },
      ]),
    )
    lab.flood([1, 2, 3], 500)
    const all = lab.flood([1, 2, 3], 4000)
    near(all[1], 2e6)
    near(all[2], 3e6)
    near(all[3], 5e6)
    const without = lab.flood([1, 2], 4000)
    near(without[2], 8e6)
  })

  test('what names no queue, or none that is there, is served by queue 0', () => {
    const lab = new ShapedLab(HTB([{ queue: 0, maxRate: 2e6 }, { queue: 1 }]))
    for (const q of [0, 7]) for (let n = 0; n < 10; n++) lab.send(q)
    lab.run(10)
    expect(lab.row(0)).toMatchObject({ waiting: 20 - lab.arrived.length, minRate: 12_000, maxRate: 2e6 })
    expect(lab.row(1)).toMatchObject({ waiting: 0, txPackets: 0, maxRate: 10e6 })
  })

  test('a frame leaves as soon as it may, to the fraction of a millisecond', () => {
    const lab = new ShapedLab(HTB([{ queue: 1, minRate: 8e6, maxRate: 8e6 }], 8e6))
    for (let n = 0; n < 5; n++) lab.send(1, 1000)
    lab.run(100)
    // 1564 bytes are saved up: two frames, and then one every 1000 bytes' worth of time.
    expect(lab.arrived.map((a) => Number(a.at.toFixed(3)))).toEqual([0, 0, 0.436, 1.436, 2.436])
  })

  test('coarse timers cost no bandwidth', () => {
    const lab = new ShapedLab(HTB([{ queue: 1, minRate: 8e6 }]))
    for (let n = 0; n < 60; n++) lab.send(1)
    lab.run(21, 7)
    // By then 21 ms at 10 Mbit/s and the burst have gone, in three batches.
    expect(lab.arrived.length).toBe(Math.floor((21 * 1250 + 1564) / 1000) + 1)
    expect(new Set(lab.arrived.map((a) => a.at))).toEqual(new Set([0, 7, 14, 21]))
  })

  test('a frame of 64 KB goes though no burst is that long, counted with all headers it stands for', () => {
    const lab = new ShapedLab(HTB([{ queue: 1, maxRate: 8e6 }]))
    lab.sendLarge(1, 1448 * 40)
    lab.send(1, 1000)
    lab.run(0)
    expect(lab.arrived).toHaveLength(1)
    const wire = 40 * (54 + 1448)
    expect(lab.row(1)).toMatchObject({ txPackets: 40, txBytes: wire, waiting: 1, waitingBytes: 1000 })
    lab.run(1000)
    expect(lab.arrived[1].at).toBeCloseTo((wire - 1564) / 1000, 3)
  })
})

test('no frame is lost or doubled but those counted as dropped, each queue keeps its order, and no cell stays', () => {
  const action = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        queue: fc.integer({ min: 0, max: 4 }),
        size: fc.integer({ min: 60, max: 1514 }),
        n: fc.integer({ min: 1, max: 30 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ wait: fc.double({ min: 0, max: 20, noNaN: true }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ queues: fc.subarray([0, 1, 2, 3]), maxRate: fc.constantFrom(1e5, 1e6, 1e8) }),
    },
    { weight: 1, arbitrary: fc.constant({ none: true as const }) },
  )
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      const lab = new ShapedLab(
        HTB([
          { queue: 1, minRate: 1e6 },
          { queue: 2, priority: 1 },
        ]),
      )
      const free = lab.free
      const sentBy = new Map<number, number>()
      for (const a of actions) {
        if ('wait' in a) lab.run(lab.lab.now + a.wait)
        else if ('none' in a) lab.put(undefined)
        else if ('queues' in a)
          lab.put(
            HTB(
              a.queues.map((queue) => ({ queue })),
              a.maxRate,
            ),
          )
        else {
          for (let n = 0; n < a.n; n++) {
            sentBy.set(lab.serial, a.queue)
            lab.send(a.queue, a.size)
          }
          lab.run(lab.lab.now)
        }
        // A quarter of the pool at the most.
        expect(free - lab.free).toBeLessThanOrEqual(64)
      }
      lab.put(undefined)
      lab.run(lab.lab.now)
      expect(lab.free).toBe(free)
      const dropped = lab.drops['queue-full'] ?? 0
      expect(lab.arrived.length + dropped).toBe(sentBy.size)
      expect(new Set(lab.arrived.map((a) => a.serial)).size).toBe(lab.arrived.length)
      const reordered = actions.some((a) => 'queues' in a || 'none' in a)
      for (let q = 0; q < 5 && !reordered; q++) {
        const order = lab.arrived.filter((a) => a.queue === q).map((a) => a.serial)
        expect(order).toEqual([...order].sort((a, b) => a - b))
      }
    }),
    { numRuns: 25 },
  )
})

test('a slow queue fills, counts what it drops, and leaves room for another', () => {
  const lab = new ShapedLab(
    HTB([
      { queue: 1, maxRate: 12_000 },
      { queue: 2, maxRate: 12_000 },
    ]),
  )
  for (let n = 0; n < 200; n++) lab.send(1, 100)
  lab.run(0)
  const held = lab.row(1).waiting
  expect(held).toBe(32)
  for (let n = 0; n < 200; n++) lab.send(2, 100)
  lab.run(0)
  expect(lab.row(2).waiting).toBe(16)
  const dropped = lab.row(1).txErrors + lab.row(2).txErrors
  expect(dropped).toBe(400 - lab.arrived.length - 48)
  expect(lab.drops).toEqual({ 'queue-full': dropped })
})

test('other rates lose no frame that waits, and no counter', () => {
  const lab = new ShapedLab(HTB([{ queue: 1, maxRate: 1e5 }]))
  for (let n = 0; n < 20; n++) lab.send(1)
  lab.run(0)
  const { waiting, txPackets } = lab.row(1)
  expect(waiting + txPackets).toBe(20)
  lab.put(HTB([{ queue: 1, maxRate: 1e6 }]))
  expect(lab.row(1)).toMatchObject({ waiting, txPackets, maxRate: 1e6 })
  lab.run(1000)
  expect(lab.arrived).toHaveLength(20)
})

test('a port that goes takes its frames with it', () => {
  const lab = new ShapedLab(HTB([{ queue: 1, maxRate: 1e5 }]))
  const free = lab.free
  for (let n = 0; n < 20; n++) lab.send(1)
  lab.run(0)
  expect(lab.free).toBeLessThan(free)
  lab.lab.commands.portDelete('out')
  expect(lab.free).toBe(free)
  expect(lab.drops['port-down']).toBe(20 - lab.arrived.length)
})

describe('policing', () => {
  test('on the way out, of what is behind the Ethernet header', () => {
    const lab = new ShapedLab({ type: 'egress-policer', cir: 100_000, cbs: 5000 })
    near(lab.flood([1], 5000)[1], (100_000 * 8 * 1000) / 986)
    expect(lab.drops['egress-policer']).toBe(15_000 - lab.arrived.length)
  })

  test('on the way in', () => {
    const lab = new ShapedLab(undefined, { rate: 1e6, burst: 8000 })
    const free = lab.free
    near(lab.flood([1], 5000)[1], 1e6)
    expect(lab.drops['ingress-policing']).toBe(15_000 - lab.arrived.length)
    expect(lab.free).toBe(free)
  })

  test('lets frames through that are longer than the burst, at the rate', () => {
    const lab = new ShapedLab(undefined, { rate: 8e6, burst: 8000 })
    for (let n = 0; n < 1000; n++) {
      lab.sendLarge(1, 1448 * 40)
      lab.run(lab.lab.now + 1)
    }
    const wire = 40 * (54 + 1448)
    // A thousand bytes a millisecond.
    expect(lab.arrived.length).toBe(Math.ceil(1_000_000 / wire))
  })
})

test('ports without a device have no quality of service', () => {
  const lab = new ShapedLab(undefined)
  const patch = { name: 'p', bridge: 'br0', vlan: TRUNK_ALL, kind: { type: 'patch', peer: 'q' } } as const
  expect(() => lab.lab.commands.portPut({ ...patch, qos: HTB([]) })).toThrow('no quality of service')
  expect(() => lab.put(HTB([{ queue: 61_440 }]))).toThrow('not the number of a queue')
  expect(() => lab.put(HTB([{ queue: 1 }, { queue: 1 }]))).toThrow('two queues')
  expect(() => lab.put(HTB(Array.from({ length: 65 }, (_, queue) => ({ queue }))))).toThrow('more than 64')
})
