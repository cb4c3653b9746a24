import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as rewrite from '../../../engine/actions/rewrite.ts'
import { extract } from '../../../engine/flow/extract.ts'
import { GSO_NONE, PacketPool, VNET_NEEDS_CSUM } from '../../../engine/memory/packet-pool.ts'
import { finishChecksum } from '../../../engine/netdev/checksum-offload.ts'
import { takeOffload } from '../../../engine/netdev/vnet-header.ts'
import { KEY_WORDS } from '../../../protocols/flow-key.ts'
import { build, type Parts } from '../../reference/segmentation.ts'
import { fromHex, hex, makeFrame, splitTags, tag, withTags } from '../../support/frames.ts'
import { arbitraryParts } from '../netdev/arbitrary-parts.ts'

const pool = new PacketPool(1)
const key = new Uint32Array(KEY_WORDS)

/** Runs `change` on a frame and answers the frame that comes of it. */
function changed(frame: Uint8Array, change: (h: number) => void, prepare?: (h: number) => void): Uint8Array {
  const h = pool.fromBytes(frame)
  prepare?.(h)
  extract(pool, h, 1, key, 0)
  change(h)
  const out = pool.bytes(h).slice()
  pool.free(h)
  return out
}

const ipv4Parts = arbitraryParts(200).filter((p) => p.version === 4)

/** The parts as they are after source and destination, addresses and ports, were replaced. */
function rewritten(p: Parts, addresses: number[], ports: [number, number]): Parts {
  const bytes = addresses.flatMap((a) => [a >>> 24, (a >>> 16) & 255, (a >>> 8) & 255, a & 255])
  const all = p.addresses.slice()
  all.set(bytes)
  return { ...p, addresses: all, ports }
}

test('addresses and ports are rewritten and every checksum is as though computed anew', () => {
  fc.assert(
    fc.property(
      ipv4Parts,
      fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)),
      fc.tuple(fc.nat(0xffff), fc.nat(0xffff)),
      fc.boolean(),
      (p, addresses, ports, partial) => {
        const { frame, l4 } = build(p, partial ? 'partial' : 'complete')
        const out = changed(
          frame,
          (h) => {
            rewrite.setNwSrc(pool, h, addresses[0])
            rewrite.setNwDst(pool, h, addresses[1])
            rewrite.setTpSrc(pool, h, ports[0])
            rewrite.setTpDst(pool, h, ports[1])
            // A partial checksum is whole once it is finished.
            finishChecksum(pool, h)
          },
          (h) => {
            if (partial) {
              const offset = p.protocol === 'tcp' ? 16 : 6
              expect(takeOffload(pool, h, VNET_NEEDS_CSUM, GSO_NONE, 0, l4, offset)).toBe(true)
            }
          },
        )
        const want = build(rewritten(p, addresses, ports), 'complete').frame
        expect(hex(out)).toBe(hex(want))
      },
    ),
    { numRuns: 500 },
  )
})

const ETH = '020000000002 020000000001 0800'

test('a UDP datagram without a checksum stays without one', () => {
  const frame = fromHex(`${ETH} 4500 001c 0000 0000 40 11 0000 0a000001 0a000002 0035 0035 0008 0000`)
  const out = changed(frame, (h) => {
    rewrite.setNwSrc(pool, h, 0x01020304)
    rewrite.setTpDst(pool, h, 99)
  })
  expect(hex(out.slice(-8))).toBe('0035006300080000')
})

test('a later fragment has its address rewritten and its payload left alone', () => {
  const frame = fromHex(`${ETH} 4500 001c 0000 0001 40 06 0000 0a000001 0a000002 1122334455667788`)
  const out = changed(frame, (h) => {
    rewrite.setNwDst(pool, h, 0x01020304)
    rewrite.setTpDst(pool, h, 99)
  })
  expect(hex(out.slice(-12))).toBe('010203041122334455667788')
})

test('TTL, TOS and ICMP identifier, with their checksums', () => {
  const before = `${ETH} 4500 001c 0000 0000 40 01 66df 0a000001 0a000002 0800 a5f0 1234 4000`
  const out = changed(fromHex(before), (h) => {
    expect(rewrite.ipChecksumIsRight(pool, h)).toBe(true)
    rewrite.decTtl(pool, h)
    rewrite.setNwTos(pool, h, 0xb8)
    rewrite.setIcmpId(pool, h, 0x1235)
    expect(rewrite.ipChecksumIsRight(pool, h)).toBe(true)
  })
  expect(hex(out.slice(14))).toBe('45b8001c000000003f0167270a0000010a0000020800a5ef12354000')
})

test('a wrong header checksum is seen', () => {
  const frame = fromHex(`${ETH} 4500 001c 0000 0000 40 01 66de 0a000001 0a000002 0800 0000 0000 0000`)
  changed(frame, (h) => expect(rewrite.ipChecksumIsRight(pool, h)).toBe(false))
})

test('pushing, popping and changing tags moves nothing else; the checksum start moves along', () => {
  const tags = fc.array(
    fc.record({ tpid: fc.constantFrom(0x8100, 0x88a8), pcp: fc.nat(7), vid: fc.nat(4095) }),
    { maxLength: 4 },
  )
  fc.assert(
    fc.property(ipv4Parts, tags, tags, fc.nat(0xffff), (p, pushed, popped, tci) => {
      const { frame, l4 } = build({ ...p, tags: [] }, 'partial')
      const h = pool.fromBytes(withTags(frame, popped))
      const start = l4 + 4 * popped.length
      takeOffload(pool, h, VNET_NEEDS_CSUM, GSO_NONE, 0, start, p.protocol === 'tcp' ? 16 : 6)
      for (const _ of popped) rewrite.popVlan(pool, h)
      expect(hex(pool.bytes(h))).toBe(hex(frame))
      expect(pool.csumStart[h]).toBe(l4)
      for (const t of pushed) rewrite.pushVlan(pool, h, t.tpid, t.pcp * 0x2000 + t.vid)
      expect(hex(pool.bytes(h))).toBe(hex(withTags(frame, [...pushed].reverse())))
      expect(pool.csumStart[h]).toBe(l4 + 4 * pushed.length)
      if (pushed.length > 0) {
        rewrite.setVlan(pool, h, tci)
        const outer = splitTags(pool.bytes(h)).tags[0]
        expect([outer.pcp, outer.vid]).toEqual([tci >> 13, tci & 4095])
        expect(outer.tpid).toBe(pushed[pushed.length - 1].tpid)
      }
      pool.free(h)
    }),
  )
})

test('both Ethernet addresses are set as key words hold them', () => {
  const frame = makeFrame({ dst: 1, src: 2, tags: [tag(5)] })
  const out = changed(frame, (h) => rewrite.setEth(pool, h, 0x0a0b0c0d, 0x0e0f1a1b, 0x1c1d1e1f))
  expect(hex(out)).toBe(hex(makeFrame({ dst: 0x0a0b0c0d0e0f, src: 0x1a1b1c1d1e1f, tags: [tag(5)] })))
})
