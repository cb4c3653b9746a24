import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GSO_NONE, PacketPool, VNET_DATA_VALID, VNET_NEEDS_CSUM } from '../../../engine/memory/packet-pool.ts'
import { segmentInto } from '../../../engine/netdev/segmentation.ts'
import { takeOffload } from '../../../engine/netdev/vnet-header.ts'
import { build, type Parts, segments } from '../../reference/segmentation.ts'
import { arbitraryParts, gsoTypeOf } from './arbitrary-parts.ts'

function large(pool: PacketPool, p: Parts, size: number): number {
  const { frame, l4 } = build(p, 'partial')
  const h = pool.fromBytes(frame, 7)
  const field = p.protocol === 'tcp' ? 16 : 6
  expect(takeOffload(pool, h, VNET_NEEDS_CSUM, gsoTypeOf(p), size, l4, field)).toBe(true)
  return h
}

test('segments are those of the reference, byte by byte, and the large frame is unchanged', () => {
  const pool = new PacketPool(160)
  const out = new Uint32Array(150)
  fc.assert(
    fc.property(arbitraryParts(6000), fc.integer({ min: 64, max: 1500 }), (p, size) => {
      fc.pre(p.payload.length > size)
      const h = large(pool, p, size)
      const before = pool.bytes(h).slice()
      const expected = segments(p, size)
      const count = segmentInto(pool, h, out)
      const got = [...out.subarray(0, count)].map((c) => pool.bytes(c).slice())
      expect(got).toEqual(expected)
      expect(pool.bytes(h)).toEqual(before)
      for (const c of out.subarray(0, count)) {
        expect([pool.gsoType[c], pool.vnetFlags[c], pool.inPort[c]]).toEqual([GSO_NONE, VNET_DATA_VALID, 7])
        pool.free(c)
      }
      pool.free(h)
      expect(pool.available).toBe(160)
    }),
    { numRuns: 200, endOnFailure: true },
  )
})

const plain: Parts = {
  tags: [],
  version: 4,
  protocol: 'tcp',
  ipOptions: 0,
  tcpOptions: 0,
  id: 0xffff,
  seq: 0xffffff00,
  flags: 0xff,
  addresses: Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2),
  ports: [1, 2],
  payload: new Uint8Array(3000).fill(7),
}

test('sequence numbers and identifications wrap; CWR stays with the first, FIN and PSH with the last', () => {
  const pool = new PacketPool(8)
  const out = new Uint32Array(4)
  const h = large(pool, plain, 1000)
  expect(segmentInto(pool, h, out)).toBe(3)
  const fields = [...out.subarray(0, 3)].map((c) => {
    const view = new DataView(pool.u8.buffer, pool.off[c], pool.len[c])
    return [view.getUint16(18), view.getUint32(38), view.getUint8(47)]
  })
  expect(fields).toEqual([
    [0xffff, 0xffffff00, 0xf6],
    [0, 0x2e8, 0x76],
    [1, 0x6d0, 0x7f],
  ])
})

test('too few cells, or no room for the handles, leave no cell behind', () => {
  const pool = new PacketPool(3)
  const h = large(pool, plain, 1000)
  expect(segmentInto(pool, h, new Uint32Array(8))).toBe(0)
  expect(pool.available).toBe(2)
  const roomy = new PacketPool(8)
  const g = large(roomy, plain, 1000)
  expect(segmentInto(roomy, g, new Uint32Array(2))).toBe(0)
  expect(roomy.available).toBe(7)
})
