import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as ipv6 from '../../../protocols/wire/ipv6.ts'
import { hex, MLD_REPORT, NEIGHBOR_SOLICITATION } from './captured-frames.ts'

const bytes16 = fc.uint8Array({ minLength: 16, maxLength: 16 })
const repr = fc.record({
  src: bytes16,
  dst: bytes16,
  nextHeader: fc.nat(255),
  hopLimit: fc.nat(255),
  payloadLength: fc.nat(64),
  trafficClass: fc.nat(255),
  flowLabel: fc.nat(0xf_ffff),
})

/** A datagram with this first next-header value and payload. */
function datagram(nextHeader: number, payload: Uint8Array): Uint8Array {
  const b = new Uint8Array(40 + payload.length)
  const address = new Uint8Array(16)
  const r = { src: address, dst: address, nextHeader, hopLimit: 64, trafficClass: 0, flowLabel: 0 }
  ipv6.emit({ ...r, payloadLength: payload.length }, b, 0)
  b.set(payload, 40)
  return b
}

function walk(b: Uint8Array, end = b.length): ipv6.Upper | undefined {
  const out = ipv6.makeUpper()
  return ipv6.walk(b, 0, end, out) ? out : undefined
}

test('a real neighbour solicitation', () => {
  const f = NEIGHBOR_SOLICITATION
  expect(ipv6.parse(f, 14, f.length)).toEqual({
    src: new Uint8Array(16),
    dst: hex('ff02 0000 0000 0000 0000 0001 ff00 0001'),
    nextHeader: ipv6.PROTO_ICMPV6,
    hopLimit: 255,
    payloadLength: 32,
    trafficClass: 0,
    flowLabel: 0,
  })
  expect([0, 1, 2, 3].map((i) => ipv6.dstWord(f, 14, i))).toEqual([0xff02_0000, 0, 1, 0xff00_0001])
})

test('a real report behind a hop-by-hop header', () => {
  const out = ipv6.makeUpper()
  expect(ipv6.walk(MLD_REPORT, 14, ipv6.end(MLD_REPORT, 14), out)).toBe(true)
  expect(out).toMatchObject({ protocol: ipv6.PROTO_ICMPV6, l4: 14 + 40 + 8, fragment: false })
  expect(MLD_REPORT[out.l4]).toBe(143)
})

test('what is written is read again, and every truncation refused', () => {
  fc.assert(
    fc.property(repr, fc.nat(5), (r, o) => {
      const b = new Uint8Array(o + 40 + r.payloadLength)
      expect(ipv6.emit(r, b, o)).toBe(40)
      expect(ipv6.parse(b, o, b.length)).toEqual(r)
      expect(ipv6.end(b, o)).toBe(b.length)
      for (let end = o; end < b.length; end++) expect(ipv6.check(b, o, end)).toBe(false)
      for (let end = o; end < o + 40; end++) expect(ipv6.checkHeader(b, o, end)).toBe(false)
      b[o] ^= 0x20
      expect(ipv6.check(b, o, b.length) || ipv6.checkHeader(b, o, b.length)).toBe(false)
    }),
  )
})

describe('extension headers', () => {
  test('all kinds in one row', () => {
    const b = datagram(
      ipv6.HOP_BY_HOP,
      hex(`
        3c00 0104 0000 0000
        2b01 0104 0000 0000 0000 0000 0000 0000
        3300 0000 0000 0000
        2c02 0000 0000 0001 0000 0001 aaaa aaaa
        1100 0001 1234 5678
        0035 0035 0008 0000
      `),
    )
    expect(walk(b)).toEqual({
      protocol: 17,
      l4: 40 + 8 + 16 + 8 + 16 + 8,
      fragment: true,
      fragmentOffset: 0,
      moreFragments: true,
      identification: 0x1234_5678,
    })
    // Cut anywhere in the extension headers there is no answer.
    for (let end = 40; end < 96; end++) expect(walk(b, end), `${end}`).toBeUndefined()
  })

  test('a later fragment ends the walk: what follows is payload', () => {
    expect(walk(datagram(ipv6.FRAGMENT, hex('0000 05a8 0000 0007 ffff ffff')))).toEqual({
      protocol: ipv6.HOP_BY_HOP,
      l4: 48,
      fragment: true,
      fragmentOffset: 0x5a8,
      moreFragments: false,
      identification: 7,
    })
  })

  test('one that reaches past the end is refused, whatever it says comes next', () => {
    const b = datagram(ipv6.DESTINATION_OPTIONS, hex('1101 0104 0000 0000'))
    expect(walk(b)).toBeUndefined()
    b[41] = 0
    expect(walk(b)).toMatchObject({ protocol: 17, l4: 48 })
    const authentication = datagram(ipv6.AUTHENTICATION, hex('1101 0000 0000 0000'))
    expect(walk(authentication)).toBeUndefined()
  })

  test('ESP and no-next-header end the walk', () => {
    expect(walk(datagram(50, new Uint8Array(8)))).toMatchObject({ protocol: 50, l4: 40 })
    expect(walk(datagram(59, new Uint8Array(0)))).toMatchObject({ protocol: 59, l4: 40 })
  })

  test('eight are walked, nine are not', () => {
    const chain = (n: number): Uint8Array => {
      const payload = new Uint8Array(8 * n + 8)
      for (let i = 0; i < n; i++) payload[8 * i] = i === n - 1 ? 17 : ipv6.DESTINATION_OPTIONS
      return datagram(ipv6.DESTINATION_OPTIONS, payload)
    }
    expect(walk(chain(ipv6.MAX_EXTENSIONS))).toMatchObject({ protocol: 17, l4: 40 + 64 })
    expect(walk(chain(ipv6.MAX_EXTENSIONS + 1))).toBeUndefined()
  })

  test('the record of an earlier walk leaves no trace', () => {
    const out = ipv6.makeUpper()
    expect(ipv6.walk(datagram(ipv6.FRAGMENT, hex('1100 0009 0000 0007')), 0, 48, out)).toBe(true)
    expect(out.fragment).toBe(true)
    expect(ipv6.walk(datagram(17, new Uint8Array(8)), 0, 48, out)).toBe(true)
    expect(out).toEqual({ ...ipv6.makeUpper(), protocol: 17, l4: 40 })
  })
})
