import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  GSO_NONE,
  GSO_UDP_L4,
  PacketPool,
  VNET_DATA_VALID,
  VNET_NEEDS_CSUM,
} from '../../../engine/memory/packet-pool.ts'
import { finishChecksum } from '../../../engine/netdev/checksum-offload.ts'
import { takeOffload } from '../../../engine/netdev/vnet-header.ts'
import { build, crc32c, type Parts } from '../../reference/segmentation.ts'
import { arbitraryParts } from './arbitrary-parts.ts'

test('a partial checksum becomes the complete one, also behind tags, options and before padding', () => {
  const pool = new PacketPool(1)
  fc.assert(
    fc.property(arbitraryParts(1500), fc.uint8Array({ maxLength: 20 }), (p, padding) => {
      const { frame, l4 } = build(p, 'partial')
      const h = pool.fromBytes(Uint8Array.from([...frame, ...padding]))
      expect(takeOffload(pool, h, VNET_NEEDS_CSUM, GSO_NONE, 0, l4, p.protocol === 'tcp' ? 16 : 6)).toBe(true)
      expect(pool.vnetFlags[h]).toBe(VNET_NEEDS_CSUM)
      finishChecksum(pool, h)
      expect(pool.bytes(h)).toEqual(Uint8Array.from([...build(p, 'complete').frame, ...padding]))
      expect(pool.vnetFlags[h]).toBe(VNET_DATA_VALID)
      pool.free(h)
    }),
  )
})

const udp: Parts = {
  tags: [],
  version: 4,
  protocol: 'udp',
  ipOptions: 0,
  tcpOptions: 0,
  id: 1,
  seq: 0,
  flags: 0,
  addresses: Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2),
  ports: [1, 2],
  payload: Uint8Array.of(0, 0),
}

/** Offset of the UDP checksum in an untagged frame without options. */
const UDP_FIELD = 14 + 20 + 6

test('RFC 768: a UDP checksum that computes to zero is sent as all ones', () => {
  // Two bytes of payload equal to the checksum of the rest make the sum come out as all ones.
  const view = (frame: Uint8Array) => new DataView(frame.buffer, frame.byteOffset)
  const rest = view(build(udp, 'complete').frame).getUint16(UDP_FIELD)
  const p = { ...udp, payload: Uint8Array.of(rest >> 8, rest & 255) }
  const { frame, l4 } = build(p, 'partial')
  const pool = new PacketPool(1)
  const h = pool.fromBytes(frame)
  takeOffload(pool, h, VNET_NEEDS_CSUM, GSO_NONE, 0, l4, 6)
  finishChecksum(pool, h)
  expect(view(pool.bytes(h)).getUint16(UDP_FIELD)).toBe(0xffff)
})

test('a frame without a pending checksum is left alone', () => {
  const pool = new PacketPool(1)
  const { frame } = build(udp, 'partial')
  const h = pool.fromBytes(frame)
  finishChecksum(pool, h)
  expect(pool.bytes(h)).toEqual(frame)
})

test('a GSO frame keeps its partial checksum for its segments', () => {
  const pool = new PacketPool(1)
  const { frame, l4 } = build({ ...udp, payload: new Uint8Array(3000) }, 'partial')
  const h = pool.fromBytes(frame)
  expect(takeOffload(pool, h, VNET_NEEDS_CSUM, GSO_UDP_L4, 1000, l4, 6)).toBe(true)
  finishChecksum(pool, h)
  expect(pool.bytes(h)).toEqual(frame)
  expect(pool.vnetFlags[h]).toBe(VNET_NEEDS_CSUM)
})

test('RFC 9260: SCTP gets its CRC-32c at once, for nothing later could tell it from a sum', () => {
  const { frame, l4 } = build(
    { ...udp, payload: Uint8Array.from('123456789, and then some', (c) => c.charCodeAt(0)) },
    'partial',
  )
  frame[23] = 132
  const pool = new PacketPool(1)
  const h = pool.fromBytes(frame)
  expect(takeOffload(pool, h, VNET_NEEDS_CSUM, GSO_NONE, 0, l4, 8)).toBe(true)
  expect(pool.vnetFlags[h]).toBe(VNET_DATA_VALID)
  const zeroed = frame.slice(l4).fill(0, 8, 12)
  const view = new DataView(pool.u8.buffer, pool.off[h] + l4)
  expect(view.getUint32(8, true)).toBe(crc32c(zeroed))
  expect(crc32c(Uint8Array.from('123456789', (c) => c.charCodeAt(0)))).toBe(0xe3069283)
})
