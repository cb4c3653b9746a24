import { expect, test } from 'vitest'
import { GSO_TCPV4, PacketPool, VNET_NEEDS_CSUM } from '../../../engine/memory/packet-pool.ts'
import { MemoryNetdev } from '../../../engine/netdev/memory.ts'
import { RX_DROPPED, RX_ERRORS, RX_PACKETS, TX_DROPPED, TX_PACKETS } from '../../../engine/netdev/netdev.ts'

const frame = (first: number, len = 60) => new Uint8Array(len).fill(first, 0, 1)
const out = new Uint32Array(32)

test('injected frames are received in order, in bursts', () => {
  const pool = new PacketPool(8)
  const dev = new MemoryNetdev(pool, { name: 'm' })
  for (let i = 1; i <= 5; i++) expect(dev.inject(frame(i))).toBe(true)
  expect(dev.rx(out, 3)).toBe(3)
  expect([...out.subarray(0, 3)].map((h) => pool.bytes(h)[0])).toEqual([1, 2, 3])
  expect(dev.waiting).toBe(2)
  expect(dev.rx(out, 32)).toBe(2)
  expect(dev.rx(out, 32)).toBe(0)
  expect(dev.stats[RX_PACKETS]).toBe(5)
})

test('what is too much is dropped and counted: a full queue, no cells, a frame too short', () => {
  const pool = new PacketPool(1)
  const dev = new MemoryNetdev(pool, { name: 'm', queue: 3 })
  expect([1, 2, 3, 4].map((i) => dev.inject(frame(i)))).toEqual([true, true, true, false])
  expect(dev.stats[RX_DROPPED]).toBe(1)
  expect(dev.rx(out, 32)).toBe(1)
  expect(dev.stats[RX_DROPPED]).toBe(3)
  pool.free(out[0])
  dev.inject(frame(1, 13))
  expect(dev.rx(out, 32)).toBe(0)
  expect([dev.stats[RX_ERRORS], pool.available]).toEqual([1, 1])
})

test('nothing passes a port that is down', () => {
  const pool = new PacketPool(1)
  const dev = new MemoryNetdev(pool, { name: 'm' })
  dev.inject(frame(1))
  dev.state = 'down'
  expect(dev.inject(frame(2))).toBe(false)
  expect(dev.rx(out, 32)).toBe(0)
  dev.tx(pool.fromBytes(frame(3)))
  expect([dev.stats[TX_DROPPED], dev.takeSent()]).toEqual([1, undefined])
})

test('linked ports of two engines pass frames with what is pending on them', () => {
  const left = new PacketPool(2)
  const right = new PacketPool(2)
  const a = new MemoryNetdev(left, { name: 'a', offloads: 15 })
  const b = new MemoryNetdev(right, { name: 'b', offloads: 15 })
  MemoryNetdev.link(a, b)
  const h = left.fromBytes(frame(9, 3000))
  // A TCP segment of 2946 bytes in 1000-byte pieces.
  left.u8.set([8, 0, 0x45, 0, 2986 >> 8, 2986 & 255], left.off[h] + 12)
  left.u8.set([64, 6], left.off[h] + 22)
  left.u8[left.off[h] + 46] = 0x50
  left.vnetFlags[h] = VNET_NEEDS_CSUM
  left.csumStart[h] = 34
  left.csumOffset[h] = 16
  left.gsoType[h] = GSO_TCPV4
  left.gsoSize[h] = 1000
  a.tx(h)
  expect(b.rx(out, 32)).toBe(1)
  const g = out[0]
  expect(right.bytes(g)).toEqual(left.bytes(h))
  expect([
    right.vnetFlags[g],
    right.csumStart[g],
    right.csumOffset[g],
    right.gsoType[g],
    right.gsoSize[g],
  ]).toEqual([VNET_NEEDS_CSUM, 34, 16, GSO_TCPV4, 1000])
  b.close()
  a.tx(h)
  expect([a.stats[TX_PACKETS], a.stats[TX_DROPPED]]).toEqual([2, 0])
})

test('a listener sees frames instead of the queue', () => {
  const pool = new PacketPool(1)
  const seen: number[] = []
  const dev = new MemoryNetdev(pool, { name: 'm', onSend: (f) => seen.push(f[0]) })
  dev.tx(pool.fromBytes(frame(4)))
  expect([seen, dev.takeSent()]).toEqual([[4], undefined])
})
