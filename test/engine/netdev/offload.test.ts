import { expect, test } from 'vitest'
import { DROP_NO_CELLS, DROP_OUTPUT_TOO_BIG } from '../../../engine/drops.ts'
import { GSO_NONE, PacketPool, VNET_DATA_VALID, VNET_NEEDS_CSUM } from '../../../engine/memory/packet-pool.ts'
import { MemoryNetdev } from '../../../engine/netdev/memory.ts'
import {
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  TX_DROPPED,
  TX_PACKETS,
} from '../../../engine/netdev/netdev.ts'
import { sendFinished } from '../../../engine/netdev/offload.ts'
import { takeOffload } from '../../../engine/netdev/vnet-header.ts'
import { build, type Parts, segments } from '../../reference/segmentation.ts'
import { gsoTypeOf } from './arbitrary-parts.ts'

const base: Parts = {
  tags: [[0x8100, 10]],
  version: 4,
  protocol: 'tcp',
  ipOptions: 0,
  tcpOptions: 12,
  id: 1,
  seq: 1,
  flags: 0x18,
  addresses: Uint8Array.from({ length: 32 }, (_, i) => i + 1),
  ports: [1, 2],
  payload: new Uint8Array(4000).fill(3),
}
const EVERYTHING = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO

function packet(pool: PacketPool, p: Parts, size = 0): number {
  const { frame, l4 } = build(p, 'partial')
  const h = pool.fromBytes(frame)
  const type = size === 0 ? GSO_NONE : gsoTypeOf(p)
  expect(takeOffload(pool, h, VNET_NEEDS_CSUM, type, size, l4, p.protocol === 'tcp' ? 16 : 6)).toBe(true)
  return h
}

test('flooded to a port without and a port with offloads, each gets what it can take', () => {
  const pool = new PacketPool(2)
  const bare = new MemoryNetdev(pool, { name: 'bare' })
  const able = new MemoryNetdev(pool, { name: 'able', offloads: EVERYTHING })
  for (const version of [4, 6] as const) {
    for (const protocol of ['tcp', 'udp'] as const) {
      const p: Parts = { ...base, version, protocol }
      const h = packet(pool, p, 1400)
      expect(sendFinished(pool, bare, h)).toBe(0)
      expect(sendFinished(pool, able, h)).toBe(0)
      expect(sendFinished(pool, bare, h)).toBe(0)
      expect(bare.takeAllSent()).toEqual([...segments(p, 1400), ...segments(p, 1400)])
      expect(able.takeAllSent()).toEqual([build(p, 'partial').frame])
      pool.free(h)
      expect(pool.available).toBe(2)
    }
  }
})

test('a device is given large frames only of the kind it takes, and only if it completes checksums', () => {
  const pool = new PacketPool(2)
  const count = (offloads: number, p: Parts) => {
    const dev = new MemoryNetdev(pool, { name: 'x', offloads })
    const h = packet(pool, p, 1400)
    sendFinished(pool, dev, h)
    pool.free(h)
    return dev.stats[TX_PACKETS]
  }
  const v6: Parts = { ...base, version: 6 }
  const udp: Parts = { ...base, protocol: 'udp' }
  expect([base, v6, udp].map((p) => count(OFFLOAD_CSUM | OFFLOAD_TSO4, p))).toEqual([1, 3, 3])
  expect([base, v6, udp].map((p) => count(OFFLOAD_CSUM | OFFLOAD_TSO6, p))).toEqual([3, 1, 3])
  expect([base, v6, udp].map((p) => count(OFFLOAD_CSUM | OFFLOAD_USO, p))).toEqual([3, 3, 1])
  expect(count(OFFLOAD_TSO4, base)).toBe(3)
})

test('a small frame keeps its partial checksum for a device that completes it', () => {
  const pool = new PacketPool(1)
  const bare = new MemoryNetdev(pool, { name: 'bare' })
  const able = new MemoryNetdev(pool, { name: 'able', offloads: OFFLOAD_CSUM })
  const p: Parts = { ...base, payload: Uint8Array.of(1, 2, 3) }
  const h = packet(pool, p)
  sendFinished(pool, able, h)
  expect(able.takeAllSent()).toEqual([build(p, 'partial').frame])
  sendFinished(pool, bare, h)
  sendFinished(pool, able, h)
  expect(pool.vnetFlags[h]).toBe(VNET_DATA_VALID)
  expect([...bare.takeAllSent(), ...able.takeAllSent()]).toEqual(Array(2).fill(build(p, 'complete').frame))
})

test('the MTU holds for frames and segments, not counting VLAN tags', () => {
  const pool = new PacketPool(2)
  const dev = new MemoryNetdev(pool, { name: 'x', mtu: 1000, offloads: EVERYTHING })
  const exact = { ...base, payload: new Uint8Array(1000 - 20 - 32) }
  const over = { ...base, payload: new Uint8Array(1000 - 20 - 32 + 1) }
  const send = (p: Parts, size?: number) => {
    const h = packet(pool, p, size)
    const reason = sendFinished(pool, dev, h)
    pool.free(h)
    return reason
  }
  expect(send(exact)).toBe(0)
  expect(send({ ...exact, tags: [] })).toBe(0)
  expect(send({ ...exact, tags: [...exact.tags, [0x88a8, 1]] })).toBe(0)
  expect(send(over)).toBe(DROP_OUTPUT_TOO_BIG)
  expect(send({ ...over, tags: [] })).toBe(DROP_OUTPUT_TOO_BIG)
  expect(send(base, exact.payload.length)).toBe(0)
  expect(dev.stats[TX_DROPPED]).toBe(2)
  expect(send(base, over.payload.length)).toBe(DROP_OUTPUT_TOO_BIG)
  // As many as the segments it stood for.
  expect(dev.stats[TX_DROPPED]).toBe(2 + 5)
  expect(dev.stats[TX_PACKETS]).toBe(4)
})

test('without a free cell a large frame is dropped and its segments counted', () => {
  const pool = new PacketPool(1)
  const bare = new MemoryNetdev(pool, { name: 'bare' })
  const h = packet(pool, base, 1000)
  expect(sendFinished(pool, bare, h)).toBe(DROP_NO_CELLS)
  expect(bare.stats[TX_DROPPED]).toBe(4)
  expect(bare.takeSent()).toBeUndefined()
})
