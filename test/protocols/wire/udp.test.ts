import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pseudoHeader4 } from '../../../protocols/wire/checksum.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import * as udp from '../../../protocols/wire/udp.ts'
import { DHCP_DISCOVER, TRACEROUTE_PROBE, UDP_HELLO } from './captured-frames.ts'

const L4 = 34
const port = fc.nat(0xffff)
const address = fc.integer({ min: 0, max: 0xffff_ffff })
const payload = fc.uint8Array({ maxLength: 60 })

function pseudoOf(frame: Uint8Array): number {
  return pseudoHeader4(ipv4.src(frame, 14), ipv4.dst(frame, 14), ipv4.PROTO_UDP, udp.length(frame, L4))
}

/** A datagram with its checksum, at an odd offset as behind a one-byte shim. */
function make(src: number, dst: number, srcPort: number, dstPort: number, data: Uint8Array): Uint8Array {
  const b = new Uint8Array(1 + 8 + data.length)
  udp.emit({ srcPort, dstPort, length: 8 + data.length }, b, 1)
  b.set(data, 9)
  udp.fillChecksum(b, 1, pseudoHeader4(src, dst, ipv4.PROTO_UDP, 8 + data.length))
  return b
}

test('real datagrams', () => {
  expect(udp.parse(UDP_HELLO, L4, UDP_HELLO.length)).toEqual({ srcPort: 41783, dstPort: 9999, length: 13 })
  expect(udp.parse(DHCP_DISCOVER, L4, DHCP_DISCOVER.length)).toEqual({
    srcPort: 68,
    dstPort: 67,
    length: 308,
  })
  for (const frame of [UDP_HELLO, DHCP_DISCOVER, TRACEROUTE_PROBE]) {
    expect(udp.verifyChecksum(frame, L4, pseudoOf(frame))).toBe(true)
    const b = frame.slice()
    udp.fillChecksum(b, L4, pseudoOf(b))
    expect(b).toEqual(frame)
    b[b.length - 1] ^= 1
    expect(udp.verifyChecksum(b, L4, pseudoOf(b))).toBe(false)
  }
})

test('what is written is read again, and every truncation refused', () => {
  fc.assert(
    fc.property(port, port, payload, (srcPort, dstPort, data) => {
      const b = make(1, 2, srcPort, dstPort, data)
      expect(udp.parse(b, 1, b.length)).toEqual({ srcPort, dstPort, length: 8 + data.length })
      for (let end = 1; end < b.length; end++) expect(udp.check(b, 1, end)).toBe(false)
    }),
  )
})

test('a length below the header is refused', () => {
  const b = make(1, 2, 3, 4, new Uint8Array(4))
  b[6] = 7
  expect(udp.check(b, 1, b.length)).toBe(false)
  b[6] = 8
  expect(udp.check(b, 1, b.length)).toBe(true)
})

test('rewriting equals writing anew', () => {
  fc.assert(
    fc.property(
      address,
      address,
      port,
      port,
      payload,
      address,
      port,
      port,
      (src, dst, sp, dp, data, to, nsp, ndp) => {
        const b = make(src, dst, sp, dp, data)
        udp.rewriteSrcPort(b, 1, nsp)
        udp.rewriteDstPort(b, 1, ndp)
        udp.adjustAddress(b, 1, src, to)
        expect(b).toEqual(make(to, dst, nsp, ndp, data))
      },
    ),
  )
})

describe('RFC 768: a checksum of zero means none', () => {
  test('it verifies, and stays none through every rewrite', () => {
    const b = Uint8Array.of(0, 1, 0, 2, 0, 9, 0, 0, 0x55)
    expect(udp.verifyChecksum(b, 0, 0x1234)).toBe(true)
    udp.rewriteSrcPort(b, 0, 0xabcd)
    udp.rewriteDstPort(b, 0, 0x1234)
    udp.adjustAddress(b, 0, 0x0a00_0001, 0xc0a8_0001)
    expect(udp.checksum(b, 0)).toBe(0)
    expect([udp.srcPort(b, 0), udp.dstPort(b, 0)]).toEqual([0xabcd, 0x1234])
  })

  test('one computed as zero is sent as 0xffff', () => {
    const b = new Uint8Array(10)
    udp.emit({ srcPort: 0, dstPort: 0, length: 10 }, b, 0)
    const pseudo = pseudoHeader4(0, 0, ipv4.PROTO_UDP, 10)
    // Makes the whole sum 0xffff, whose complement is zero.
    const fill = 0xffff - pseudo - 10
    b[8] = fill >>> 8
    b[9] = fill
    udp.fillChecksum(b, 0, pseudo)
    expect(udp.checksum(b, 0)).toBe(0xffff)
    expect(udp.verifyChecksum(b, 0, pseudo)).toBe(true)
  })

  test('one that a rewrite turns to zero becomes 0xffff', () => {
    // ~0x0001 + ~0 + 1 is all ones: the new checksum is zero.
    const b = Uint8Array.of(0, 0, 0, 0, 0, 8, 0, 1)
    udp.rewriteSrcPort(b, 0, 1)
    expect(udp.checksum(b, 0)).toBe(0xffff)
    const a = Uint8Array.of(0, 0, 0, 0, 0, 8, 0, 1)
    udp.adjustAddress(a, 0, 0, 1)
    expect(udp.checksum(a, 0)).toBe(0xffff)
  })
})

test('a partial checksum follows addresses, and ports leave it alone', () => {
  const b = new Uint8Array(8)
  udp.emit({ srcPort: 1, dstPort: 2, length: 8 }, b, 0)
  const before = pseudoHeader4(0x0a00_0001, 0x0808_0808, 17, 8)
  b[6] = before >>> 8
  b[7] = before
  udp.setSrcPort(b, 0, 0x1111)
  udp.setDstPort(b, 0, 0x2222)
  expect(udp.checksum(b, 0)).toBe(before)
  udp.adjustPartialAddress(b, 0, 0x0a00_0001, 0xc0a8_640b)
  expect(udp.checksum(b, 0)).toBe(pseudoHeader4(0xc0a8_640b, 0x0808_0808, 17, 8))
})
