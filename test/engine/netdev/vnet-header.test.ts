import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP,
  GSO_UDP_L4,
  HEADROOM,
  PacketPool,
  VNET_DATA_VALID,
  VNET_NEEDS_CSUM,
} from '../../../engine/memory/packet-pool.ts'
import { segmentCount, segmentHeaderLen, segmentInto } from '../../../engine/netdev/segmentation.ts'
import { putVnetHeader, takeOffload, takeVnetHeader, VNET_LEN } from '../../../engine/netdev/vnet-header.ts'
import { build, type Parts, segments } from '../../reference/segmentation.ts'
import { arbitraryParts, gsoTypeOf } from './arbitrary-parts.ts'

const fieldOf = (p: Parts) => (p.protocol === 'tcp' ? 16 : 6)

test('what is written is what is read', () => {
  const pool = new PacketPool(2)
  fc.assert(
    fc.property(arbitraryParts(4000), fc.integer({ min: 1, max: 1500 }), fc.boolean(), (p, size, ecn) => {
      const { frame, l4, data } = build(p, 'partial')
      const a = pool.fromBytes(frame)
      const type = gsoTypeOf(p) | (ecn ? GSO_ECN : 0)
      expect(takeOffload(pool, a, VNET_NEEDS_CSUM, type, size, l4, fieldOf(p))).toBe(true)
      const b = pool.fromBytes(frame)
      const at = pool.off[b] - HEADROOM
      putVnetHeader(pool, a, at, 0)
      // Where a copy leaves the bytes the header belongs to.
      pool.u8.copyWithin(at, pool.off[a] - HEADROOM, pool.off[a] - HEADROOM)
      expect(pool.u8[at + 2] | (pool.u8[at + 3] << 8)).toBe(data)
      pool.vnetFlags[b] = 99
      expect(takeVnetHeader(pool, b, at, 0)).toBe(true)
      const all = (h: number) => [
        pool.vnetFlags[h],
        pool.gsoType[h],
        pool.gsoType[h] === GSO_NONE ? 0 : pool.gsoSize[h],
        pool.csumStart[h],
        pool.csumOffset[h],
      ]
      expect(all(b)).toEqual(all(a))
      expect(pool.gsoType[a]).toBe(p.payload.length > size ? type : GSO_NONE)
      pool.free(a)
      pool.free(b)
    }),
  )
})

test('a tag that is put back moves the start of checksumming', () => {
  const pool = new PacketPool(1)
  const p: Parts = { ...tcp, tags: [[0x8100, 5]] }
  const { frame, l4 } = build(p, 'partial')
  const h = pool.fromBytes(frame)
  const at = pool.off[h] - 32
  pool.u8.set([VNET_NEEDS_CSUM, 0, 0, 0, 0, 0, l4 - 4, 0, 16, 0], at)
  expect(takeVnetHeader(pool, h, at, 4)).toBe(true)
  expect(pool.csumStart[h]).toBe(l4)
})

test('a header without requests costs nothing and leaves nothing pending', () => {
  const pool = new PacketPool(1)
  const h = pool.fromBytes(build(tcp, 'complete').frame)
  const at = pool.off[h] - VNET_LEN
  pool.u8.fill(0, at, at + VNET_LEN)
  pool.u8[at] = VNET_DATA_VALID
  expect(takeVnetHeader(pool, h, at, 0)).toBe(true)
  expect([pool.vnetFlags[h], pool.gsoType[h]]).toEqual([VNET_DATA_VALID, GSO_NONE])
})

interface Offer {
  readonly frame: Uint8Array
  readonly type: number
  readonly start: number
  readonly offset: number
}

/** Noise with any numbers, and real frames a little damaged, with the right numbers or one that is wrong. */
const anyOffer: fc.Arbitrary<Offer> = fc.oneof(
  fc.record({
    frame: fc.uint8Array({ minLength: 14, maxLength: 200 }),
    type: fc.constantFrom(0, 1, 4, 5, 0x81),
    start: fc.nat(0xffff),
    offset: fc.nat(0xffff),
  }),
  fc
    .tuple(
      arbitraryParts(200),
      fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 2 }),
      fc.oneof(fc.constant(0), fc.nat(200)),
      fc.option(fc.constantFrom(0, 1, 3, 4, 5, 0x81, 0x84, 77)),
      fc.option(fc.nat(300)),
      fc.option(fc.nat(300)),
    )
    .map(([p, damage, cut, type, start, offset]) => {
      const { frame, l4 } = build(p, 'partial')
      for (const [at, value] of damage) frame[at % frame.length] = value
      return {
        frame: frame.subarray(0, Math.max(14, frame.length - cut)),
        type: type ?? gsoTypeOf(p),
        start: start ?? l4,
        offset: offset ?? fieldOf(p),
      }
    }),
)

test('any header on any bytes is taken or refused, and what is taken keeps its promises', () => {
  const pool = new PacketPool(300)
  const out = new Uint32Array(299)
  const seen = { large: 0, pending: 0, refused: 0 }
  fc.assert(
    fc.property(anyOffer, fc.nat(3), fc.integer({ min: 0, max: 90 }), (offer, flags, size) => {
      const { frame } = offer
      const h = pool.fromBytes(frame)
      if (!takeOffload(pool, h, flags, offer.type, size, offer.start, offer.offset)) {
        seen.refused++
      } else {
        const pending = (pool.vnetFlags[h] & VNET_NEEDS_CSUM) !== 0
        if (pending) {
          seen.pending++
          expect(pool.csumStart[h] + pool.csumOffset[h] + 2).toBeLessThanOrEqual(frame.length)
          expect([6, 16]).toContain(pool.csumOffset[h])
        }
        if (pool.gsoType[h] !== GSO_NONE) {
          seen.large++
          expect(pending).toBe(true)
          expect(segmentHeaderLen(pool, h)).toBeLessThan(frame.length)
          const count = segmentInto(pool, h, out)
          expect(count).toBe(segmentCount(pool, h))
          expect(count).toBeGreaterThan(1)
          for (let i = 0; i < count; i++) pool.free(out[i])
        }
      }
      expect(pool.len[h]).toBe(frame.length)
      pool.free(h)
    }),
    { numRuns: 3000 },
  )
  expect(Math.min(seen.large, seen.pending, seen.refused)).toBeGreaterThan(50)
})

test('a GSO frame whose checksum is complete is brought into the usual form', () => {
  const pool = new PacketPool(8)
  const out = new Uint32Array(8)
  for (const version of [4, 6] as const) {
    const p: Parts = { ...tcp, version }
    const h = pool.fromBytes(build(p, 'complete').frame)
    expect(takeOffload(pool, h, 0, gsoTypeOf(p), 1000, 0, 0)).toBe(true)
    expect(pool.bytes(h)).toEqual(build(p, 'partial').frame)
    const count = segmentInto(pool, h, out)
    expect([...out.subarray(0, count)].map((c) => pool.bytes(c).slice())).toEqual(segments(p, 1000))
    for (const c of [h, ...out.subarray(0, count)]) pool.free(c)
  }
})

test('the inner checksum of a tunnelled frame is completed at once', () => {
  const pool = new PacketPool(1)
  const inner = build(tcp, 'partial')
  const outer: Parts = {
    ...tcp,
    protocol: 'udp',
    payload: Uint8Array.from([8, 0, 0, 0, 0, 0, 1, 0, ...inner.frame]),
  }
  const { frame, data } = build(outer, 'complete')
  const h = pool.fromBytes(frame)
  expect(takeOffload(pool, h, VNET_NEEDS_CSUM, GSO_NONE, 0, data + 8 + inner.l4, 16)).toBe(true)
  expect(pool.vnetFlags[h]).toBe(VNET_DATA_VALID)
  expect(pool.bytes(h).subarray(data + 8)).toEqual(build(tcp, 'complete').frame)
})

const tcp: Parts = {
  tags: [],
  version: 4,
  protocol: 'tcp',
  ipOptions: 0,
  tcpOptions: 12,
  id: 1,
  seq: 1,
  flags: 0x18,
  addresses: Uint8Array.from({ length: 32 }, (_, i) => i + 1),
  ports: [1, 2],
  payload: new Uint8Array(3000).fill(3),
}

describe('refused:', () => {
  const { frame, l4, data } = build(tcp, 'partial')
  const offer = (flags: number, type: number, size: number, start: number, offset: number, f = frame) => {
    const pool = new PacketPool(1)
    return takeOffload(pool, pool.fromBytes(f), flags, type, size, start, offset)
  }
  test('(the frame itself is in order)', () => expect(offer(1, GSO_TCPV4, 1000, l4, 16)).toBe(true))
  test('a checksum beyond the frame', () => expect(offer(1, 0, 0, frame.length - 1, 0)).toBe(false))
  test('a checksum in the Ethernet header', () => expect(offer(1, 0, 0, 4, 2)).toBe(false))
  test('segments of no bytes', () => expect(offer(1, GSO_TCPV4, 0, l4, 16)).toBe(false))
  test('the other IP version', () => expect(offer(1, GSO_TCPV6, 1000, l4, 16)).toBe(false))
  test('the other protocol', () => expect(offer(1, GSO_UDP_L4, 1000, l4, 16)).toBe(false))
  test('UDP fragmentation', () => expect(offer(1, GSO_UDP, 1000, l4, 16)).toBe(false))
  test('a type of tomorrow', () => expect(offer(1, 9, 1000, l4, 16)).toBe(false))
  test('a large frame whose checksum is elsewhere', () =>
    expect(offer(1, GSO_TCPV4, 1000, 14, 10)).toBe(false))
  test('a TCP header longer than the frame', () => {
    const cut = frame.slice(0, data - 4)
    expect(offer(0, GSO_TCPV4, 1000, 0, 0, cut)).toBe(false)
  })
  test('an IP length that is not the frame’s', () => {
    const longer = Uint8Array.from([...frame, 0])
    expect(offer(1, GSO_TCPV4, 1000, l4, 16, longer)).toBe(false)
  })
  test('a fragment', () => {
    const fragment = frame.slice()
    fragment[20] |= 0x20
    expect(offer(1, GSO_TCPV4, 1000, l4, 16, fragment)).toBe(false)
  })
})
