import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GSO_NONE, PacketPool } from '../../../engine/memory/packet-pool.ts'
import { Coalescer, type Output } from '../../../engine/netdev/coalescer.ts'
import {
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  STAT_COUNT,
  TX_BYTES,
  TX_PACKETS,
} from '../../../engine/netdev/netdev.ts'
import { segmentInto } from '../../../engine/netdev/segmentation.ts'
import { build, type Parts, segments } from '../../reference/segmentation.ts'
import { arbitraryParts } from './arbitrary-parts.ts'

const CELLS = 128
const ALL = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO

/** A device that cuts up what it is given, as a kernel would. */
class Receiver implements Output {
  readonly offloads: number
  readonly stats = new Float64Array(STAT_COUNT)
  readonly frames: Uint8Array[] = []
  writes = 0
  readonly #pool: PacketPool
  readonly #out = new Uint32Array(64)

  constructor(pool: PacketPool, offloads = ALL) {
    this.#pool = pool
    this.offloads = offloads
  }

  write(h: number, packets: number, bytes: number): void {
    const pool = this.#pool
    this.writes++
    this.stats[TX_PACKETS] += packets
    this.stats[TX_BYTES] += bytes
    if (pool.gsoType[h] === GSO_NONE) {
      this.frames.push(pool.bytes(h).slice())
      return
    }
    const count = segmentInto(pool, h, this.#out)
    expect(count).toBeGreaterThan(1)
    for (const c of this.#out.subarray(0, count)) {
      this.frames.push(pool.bytes(c).slice())
      pool.free(c)
    }
  }
}

function setUp(offloads = ALL) {
  const pool = new PacketPool(CELLS)
  const receiver = new Receiver(pool, offloads)
  const coalescer = new Coalescer(pool, receiver)
  const send = (frame: Uint8Array) => {
    const h = pool.fromBytes(frame)
    if (!coalescer.take(h)) receiver.write(h, 1, pool.len[h])
    pool.free(h)
  }
  return { pool, receiver, coalescer, send }
}

const plain: Parts = {
  tags: [],
  version: 4,
  protocol: 'tcp',
  ipOptions: 0,
  tcpOptions: 12,
  id: 0xfffe,
  seq: 0xfffff000,
  flags: 0x10,
  addresses: Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2),
  ports: [1, 2],
  payload: new Uint8Array(4000).map((_, i) => i),
}

/** A flow's frames keep their order; those of nothing that has ports are one flow. */
const flowOf = (frame: Uint8Array): string => {
  const v6 = frame[12] === 0x86
  const protocol = frame[v6 ? 20 : 23]
  if (protocol !== 6 && protocol !== 17) return 'other'
  return `${protocol} ${frame.subarray(v6 ? 22 : 26, v6 ? 58 : 38).join('.')}`
}

const byFlow = (frames: readonly Uint8Array[]) => {
  const flows = new Map<string, Uint8Array[]>()
  for (const frame of frames) flows.set(flowOf(frame), [...(flows.get(flowOf(frame)) ?? []), frame])
  return flows
}

/** What may come between: nothing, the end of a burst, a byte that is wrong, a frame that is lost. */
const disturbance = fc.oneof(
  { weight: 20, arbitrary: fc.constant({ kind: 'none' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'flush' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'lost' } as const) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('flip' as const),
      at: fc.nat(79),
      bits: fc.integer({ min: 1, max: 255 }),
    }),
  },
)

test('whatever comes is received byte by byte as it was sent, in the order of each flow', () => {
  const flows = fc.array(
    fc
      .tuple(arbitraryParts(6000), fc.integer({ min: 1, max: 1400 }), fc.boolean())
      .map(([parts, size, ack]) =>
        // What a sender without offloads sends: nothing in most headers but what its last segment has.
        segments(
          ack ? { ...parts, tags: [], ipOptions: 0, flags: 0x18 } : parts,
          Math.max(size, parts.payload.length >> 5),
        ),
      ),
    { minLength: 1, maxLength: 4 },
  )
  let together = 0
  fc.assert(
    fc.property(
      flows,
      fc.infiniteStream(fc.nat(3)),
      fc.infiniteStream(disturbance),
      (sequences, turns, disturbances) => {
        const { pool, receiver, coalescer, send } = setUp()
        const queues = sequences.map((sequence) => [...sequence])
        const sent: Uint8Array[] = []
        while (queues.some((queue) => queue.length > 0)) {
          const frame = queues[turns.next().value! % queues.length].shift()
          if (frame === undefined) continue
          const what = disturbances.next().value!
          if (what.kind === 'flush') coalescer.flush()
          if (what.kind === 'lost') continue
          if (what.kind === 'flip' && what.at < frame.length) frame[what.at] ^= what.bits
          sent.push(frame)
          send(frame)
        }
        coalescer.flush()
        expect(byFlow(receiver.frames)).toEqual(byFlow(sent))
        expect(receiver.stats[TX_PACKETS]).toBe(sent.length)
        expect(receiver.stats[TX_BYTES]).toBe(sent.reduce((bytes, frame) => bytes + frame.length, 0))
        expect(pool.available).toBe(CELLS)
        together += sent.length - receiver.writes
      },
    ),
    { numRuns: 150, endOnFailure: true },
  )
  expect(together).toBeGreaterThan(100)
})

describe('frames leave together', () => {
  const writes = (frames: readonly Uint8Array[], offloads = ALL) => {
    const { coalescer, receiver, send } = setUp(offloads)
    for (const frame of frames) send(frame)
    coalescer.flush()
    return receiver.writes
  }

  test('the first at once, those that follow it in one', () => {
    expect(writes(segments(plain, 100))).toBe(2)
    expect(writes(segments({ ...plain, protocol: 'udp' }, 100))).toBe(2)
    expect(writes(segments({ ...plain, version: 6, addresses: new Uint8Array(32) }, 100))).toBe(2)
  })

  test('at most 64 in one', () => {
    expect(writes(segments(plain, 20))).toBe(1 + Math.ceil(199 / 64))
  })

  test('not where the device could not cut them up', () => {
    expect(writes(segments(plain, 100), OFFLOAD_CSUM | OFFLOAD_TSO6 | OFFLOAD_USO)).toBe(40)
    expect(writes(segments(plain, 100), OFFLOAD_TSO4)).toBe(40)
    expect(writes(segments({ ...plain, protocol: 'udp' }, 100), OFFLOAD_CSUM | OFFLOAD_TSO4)).toBe(40)
  })

  test('never across PSH, URG, FIN or SYN, nor when the window changes', () => {
    for (const flags of [0x18, 0x30, 0x11, 0x12]) {
      const frames = segments(plain, 100)
      frames[20] = build(
        {
          ...plain,
          id: plain.id + 20,
          seq: (plain.seq + 2000) >>> 0,
          flags,
          payload: plain.payload.slice(2000, 2100),
        },
        'complete',
      ).frame
      // A pushed one ends what stands, any other stands by itself; what follows begins again.
      expect(writes(frames)).toBe(flags === 0x18 ? 3 : 5)
    }
  })

  test('not with a checksum that is wrong, which the receiver gets to see', () => {
    const { coalescer, receiver, send } = setUp()
    const frames = segments(plain, 100)
    frames[20][frames[20].length - 1] ^= 1
    for (const frame of frames) send(frame)
    coalescer.flush()
    expect(receiver.frames).toEqual(frames)
  })

  test('and nothing is held back when there is no cell', () => {
    const pool = new PacketPool(1)
    const receiver = new Receiver(pool)
    const coalescer = new Coalescer(pool, receiver)
    for (const frame of segments(plain, 100)) {
      const h = pool.fromBytes(frame)
      expect(coalescer.take(h)).toBe(false)
      pool.free(h)
    }
  })
})
