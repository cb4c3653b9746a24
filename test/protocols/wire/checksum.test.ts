import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as c from '../../../protocols/wire/checksum.ts'
import { hex, NEIGHBOR_SOLICITATION } from './captured-frames.ts'

/** The obvious twin: RFC 1071 §4.1 word by word, folding at once. */
function plainSum(bytes: Uint8Array): number {
  let s = 0
  for (let i = 0; i < bytes.length; i += 2) {
    s += bytes[i] * 256 + (bytes[i + 1] ?? 0)
    if (s > 0xffff) s -= 0xffff
  }
  return s
}

const word = fc.integer({ min: 0, max: 0xffff })
const long = fc.integer({ min: 0, max: 0xffff_ffff })

describe('sum', () => {
  test('RFC 1071 §3: the example', () => {
    expect(c.sum(hex('0001 f203 f4f5 f6f7'), 0, 8)).toBe(0xddf2)
  })

  test('of nothing is its initial value', () => {
    expect(c.sum(new Uint8Array(0), 0, 0)).toBe(0)
    expect(c.sum(new Uint8Array(4), 4, 0, 0x1234)).toBe(0x1234)
  })

  test('equals the plain loop at any offset and length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(9), fc.nat(9), (bytes, front, back) => {
        const b = new Uint8Array(front + bytes.length + back).fill(0xff)
        b.set(bytes, front)
        expect(c.sum(b, front, bytes.length)).toBe(plainSum(bytes))
      }),
    )
  })

  test('is exact for the longest datagram with the largest bytes', () => {
    const b = new Uint8Array(65_535).fill(0xff)
    expect(c.sum(b, 0, b.length, 0xffff)).toBe(plainSum(Uint8Array.from([...b, 0, 0xff, 0xff])))
    const ramp = Uint8Array.from({ length: 131_070 }, (_, i) => i * 7)
    expect(c.sum(ramp, 0, ramp.length)).toBe(plainSum(ramp))
  })

  test('continues over pieces of even length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(50), (bytes, half) => {
        const cut = Math.min(2 * half, bytes.length & ~1)
        const first = c.sum(bytes, 0, cut)
        expect(c.sum(bytes, cut, bytes.length - cut, first)).toBe(c.sum(bytes, 0, bytes.length))
      }),
    )
  })
})

test('the IPv4 pseudo-header is the sum of its words', () => {
  fc.assert(
    fc.property(long, long, fc.nat(255), word, (src, dst, protocol, len) => {
      const b = new Uint8Array(12)
      new DataView(b.buffer).setUint32(0, src)
      new DataView(b.buffer).setUint32(4, dst)
      b[9] = protocol
      new DataView(b.buffer).setUint16(10, len)
      expect(c.pseudoHeader4(src, dst, protocol, len)).toBe(plainSum(b))
    }),
  )
})

test('the IPv6 pseudo-header makes a real solicitation add up', () => {
  const f = NEIGHBOR_SOLICITATION
  expect(c.verify(f, 54, 32, c.pseudoHeader6(f, 22, 58, 32))).toBe(true)
  expect(c.verify(f, 54, 32, c.pseudoHeader6(f, 22, 58, 31))).toBe(false)
})

describe('update', () => {
  test('RFC 1624 §4: the example that equation 2 gets wrong', () => {
    expect(c.update16(0xdd2f, 0x5555, 0x3285)).toBe(0x0000)
  })

  test('equals computing anew, for 16 and 32 bits', () => {
    const nonZero = fc
      .uint8Array({ minLength: 8, maxLength: 60 })
      .filter((b) => b.slice(4).some((v) => v !== 0))
    fc.assert(
      fc.property(nonZero, long, (bytes, v) => {
        const even = bytes.subarray(0, bytes.length & ~1)
        fc.pre(even.subarray(4).some((x) => x !== 0))
        const view = new DataView(even.buffer, even.byteOffset)
        const before = c.checksum(even, 0, even.length)
        const old = view.getUint32(0)
        view.setUint32(0, v)
        expect(c.update32(before, old, v)).toBe(c.checksum(even, 0, even.length))
        const between = c.checksum(even, 0, even.length)
        view.setUint16(2, old >>> 16)
        expect(c.update16(between, v & 0xffff, old >>> 16)).toBe(c.checksum(even, 0, even.length))
      }),
    )
  })

  test('of a field in place, complemented and partial', () => {
    fc.assert(
      fc.property(word, long, long, (field, old, v) => {
        const b = Uint8Array.of(9, field >>> 8, field, 9)
        c.adjust32(b, 1, old, v)
        expect((b[1] << 8) | b[2]).toBe(c.update32(field, old, v))
        const p = Uint8Array.of(9, field >>> 8, field, 9)
        c.adjustPartial32(p, 1, old, v)
        expect((p[1] << 8) | p[2]).toBe(c.replaceInSum32(field, old, v))
        expect([b[0], b[3], p[0], p[3]]).toEqual([9, 9, 9, 9])
      }),
    )
  })

  test('of a partial checksum leaves the pseudo-header sum of the new addresses', () => {
    fc.assert(
      fc.property(long, long, fc.integer({ min: 1, max: 0xffff_ffff }), word, (src, dst, to, len) => {
        const s = c.pseudoHeader4(src, dst, 6, len)
        expect(c.replaceInSum32(s, src, to)).toBe(c.pseudoHeader4(to, dst, 6, len))
      }),
    )
  })
})
