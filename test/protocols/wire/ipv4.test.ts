import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import { hex, LAST_FRAGMENT, PING_REQUEST, TIME_EXCEEDED } from './captured-frames.ts'

const address = fc.integer({ min: 0, max: 0xffff_ffff })
const repr = fc.record({
  src: address,
  dst: address,
  protocol: fc.nat(255),
  ttl: fc.nat(255),
  payloadLength: fc.nat(64),
  tos: fc.nat(255),
  identification: fc.nat(0xffff),
  dontFragment: fc.boolean(),
  moreFragments: fc.boolean(),
  fragmentOffset: fc.nat(0x1fff).map((n) => n * 8),
  options: fc.nat(10).chain((n) => fc.uint8Array({ minLength: 4 * n, maxLength: 4 * n })),
})

describe('real datagrams', () => {
  test('an echo request', () => {
    expect(ipv4.parse(PING_REQUEST, 14, PING_REQUEST.length)).toEqual({
      src: 0x0a00_0001,
      dst: 0x0a00_0102,
      protocol: ipv4.PROTO_ICMP,
      ttl: 64,
      payloadLength: 64,
      tos: 0,
      identification: 0xb147,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      options: new Uint8Array(0),
    })
  })

  test('a last fragment', () => {
    const r = ipv4.parse(LAST_FRAGMENT, 14, LAST_FRAGMENT.length)!
    expect(r).toMatchObject({ moreFragments: false, fragmentOffset: 1480, payloadLength: 528 })
    expect(ipv4.isFragment(LAST_FRAGMENT, 14)).toBe(true)
  })

  test('a router lowering the TTL: the header that TIME_EXCEEDED has, from one hop more', () => {
    const b = TIME_EXCEEDED.slice()
    ipv4.rewriteTtl(b, 14, 65)
    expect(b).not.toEqual(TIME_EXCEEDED)
    ipv4.rewriteTtl(b, 14, 64)
    expect(b).toEqual(TIME_EXCEEDED)
  })

  test('a documented header checksum', () => {
    const b = hex('4500 0073 0000 4000 4011 0000 c0a8 0001 c0a8 00c7')
    ipv4.fillChecksum(b, 0)
    expect(ipv4.checksum(b, 0)).toBe(0xb861)
    expect(ipv4.verifyChecksum(b, 0)).toBe(true)
  })
})

test('what is written is read again, and every truncation refused', () => {
  fc.assert(
    fc.property(repr, fc.nat(5), (r, o) => {
      const b = new Uint8Array(o + ipv4.emitLength(r) + r.payloadLength).fill(0xee)
      expect(ipv4.emit(r, b, o)).toBe(ipv4.emitLength(r))
      expect(ipv4.parse(b, o, b.length)).toEqual(r)
      expect([ipv4.payload(b, o), ipv4.end(b, o)]).toEqual([o + 20 + r.options.length, b.length])
      for (let end = o; end < b.length; end++) expect(ipv4.check(b, o, end)).toBe(false)
    }),
  )
})

test('padding behind the datagram is not part of it', () => {
  const b = new Uint8Array(60)
  ipv4.emit({ src: 1, dst: 2, protocol: 17, ttl: 1, payloadLength: 8 }, b, 0)
  expect(ipv4.check(b, 0, 60)).toBe(true)
  expect(ipv4.end(b, 0)).toBe(28)
})

test('options are padded to whole words', () => {
  const b = new Uint8Array(24).fill(0xee)
  const options = Uint8Array.of(ipv4.OPTION_NOP)
  expect(ipv4.emit({ src: 1, dst: 2, protocol: 17, ttl: 1, payloadLength: 0, options }, b, 0)).toBe(24)
  expect(ipv4.parse(b, 0, 24)!.options).toEqual(Uint8Array.of(1, 0, 0, 0))
})

test.each([
  ['version 6', 0, 0x65],
  ['a header of 16 bytes', 0, 0x44],
  ['a header longer than the datagram', 0, 0x4f],
  ['a total length below the header', 3, 19],
  ['a total length beyond the frame', 3, 29],
])('%s is refused', (_, at, value) => {
  const b = new Uint8Array(28)
  ipv4.emit({ src: 1, dst: 2, protocol: 17, ttl: 1, payloadLength: 8 }, b, 0)
  expect(ipv4.check(b, 0, 28)).toBe(true)
  b[at] = value
  expect(ipv4.check(b, 0, 28)).toBe(false)
})

test('a quoted header is accepted without its payload', () => {
  const b = PING_REQUEST.slice(14, 14 + 28)
  expect(ipv4.checkHeader(b, 0, b.length)).toBe(true)
  expect(ipv4.check(b, 0, b.length)).toBe(false)
  for (let end = 0; end < 20; end++) expect(ipv4.checkHeader(b, 0, end)).toBe(false)
})

test('every flipped bit of the header is noticed', () => {
  for (let bit = 0; bit < 160; bit++) {
    const b = PING_REQUEST.slice()
    b[14 + (bit >>> 3)] ^= 1 << (bit & 7)
    expect(ipv4.parse(b, 14, b.length), `bit ${bit}`).toBeUndefined()
  }
})

test('rewriting equals writing anew', () => {
  fc.assert(
    fc.property(repr, address, address, fc.nat(255), fc.nat(255), (r, src, dst, ttl, tos) => {
      const rewritten = new Uint8Array(140)
      const fresh = new Uint8Array(140)
      ipv4.emit(r, rewritten, 1)
      ipv4.rewriteSrc(rewritten, 1, src)
      ipv4.rewriteDst(rewritten, 1, dst)
      ipv4.rewriteTtl(rewritten, 1, ttl)
      ipv4.rewriteTos(rewritten, 1, tos)
      ipv4.emit({ ...r, src, dst, ttl, tos }, fresh, 1)
      expect(rewritten).toEqual(fresh)
    }),
  )
})

describe('options', () => {
  const withOptions = (options: Uint8Array): Uint8Array => {
    const b = new Uint8Array(ipv4.HEADER_MAX)
    ipv4.emit({ src: 1, dst: 2, protocol: 1, ttl: 1, payloadLength: 0, options }, b, 0)
    return b
  }

  test('are found behind others', () => {
    const b = withOptions(Uint8Array.of(1, 148, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0))
    expect(ipv4.findOption(b, 0, ipv4.OPTION_ROUTER_ALERT)).toBe(21)
    expect(ipv4.findOption(b, 0, ipv4.OPTION_RECORD_ROUTE)).toBe(25)
    expect(ipv4.findOption(b, 0, ipv4.OPTION_LOOSE_SOURCE_ROUTE)).toBe(0)
    expect(ipv4.optionsProblem(b, 0)).toBe(0)
  })

  test('behind the end of the list are none', () => {
    expect(ipv4.findOption(withOptions(Uint8Array.of(0, 148, 4, 0)), 0, 148)).toBe(0)
  })

  test.each([
    ['length zero', [148, 0, 0, 0], 21],
    ['length one', [1, 148, 1, 0], 22],
    ['a length beyond the header', [1, 1, 148, 3], 23],
    ['a kind without a length', [1, 1, 1, 148], 23],
  ])('%s is a problem, and where', (_, options, at) => {
    const b = withOptions(Uint8Array.from(options))
    expect(ipv4.optionsProblem(b, 0)).toBe(at)
    expect(ipv4.findOption(b, 0, 148)).toBe(0)
  })

  test('random ones never lead outside of the header', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(39), (options, pick) => {
        const kind = options[pick % options.length]
        fc.pre(kind > 0)
        const b = withOptions(options)
        const at = ipv4.findOption(b, 0, kind)
        const end = ipv4.headerLength(b, 0)
        if (at === 0) return
        expect(b[at]).toBe(kind)
        expect(at).toBeGreaterThanOrEqual(20)
        expect(kind === 1 ? at + 1 : at + b[at + 1]).toBeLessThanOrEqual(end)
      }),
    )
  })
})

describe('text', () => {
  test.each([
    ['0.0.0.0', 0],
    ['10.0.0.254', 0x0a00_00fe],
    ['255.255.255.255', 0xffff_ffff],
  ])('%s', (text, value) => expect(ipv4.parseIpv4(text)).toBe(value))

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    '0x1.2.3.4',
    '1.2.3.-4',
    '1..3.4',
    '1.2.3.4\n',
  ])('%j is no address', (text) => expect(ipv4.parseIpv4(text)).toBeUndefined())

  test('goes both ways', () => {
    fc.assert(
      fc.property(address, (a) => {
        expect(ipv4.parseIpv4(ipv4.formatIpv4(a))).toBe(a)
      }),
    )
    fc.assert(
      fc.property(address, fc.nat(32), (a, prefixLength) => {
        const p = { address: a, prefixLength }
        expect(ipv4.parsePrefix(ipv4.formatPrefix(p))).toEqual(p)
      }),
    )
  })

  test.each([
    '10.0.0.0',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0/8',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '/8',
  ])('%j is no prefix', (text) => expect(ipv4.parsePrefix(text)).toBeUndefined())
})

test('prefix arithmetic', () => {
  expect([0, 1, 24, 31, 32].map(ipv4.mask)).toEqual([0, 0x8000_0000, 0xffff_ff00, 0xffff_fffe, 0xffff_ffff])
  const p = ipv4.parsePrefix('192.168.100.11/24')!
  expect(ipv4.formatIpv4(ipv4.network(p))).toBe('192.168.100.0')
  expect(ipv4.formatIpv4(ipv4.broadcast(p))).toBe('192.168.100.255')
  expect(ipv4.contains(p, 0xc0a8_64ff)).toBe(true)
  expect(ipv4.contains(p, 0xc0a8_6500)).toBe(false)
  expect(ipv4.contains({ address: 0, prefixLength: 0 }, 0xffff_ffff)).toBe(true)
  fc.assert(
    fc.property(address, fc.nat(32), (a, prefixLength) => {
      const q = { address: a, prefixLength }
      expect(ipv4.contains(q, ipv4.network(q)) && ipv4.contains(q, ipv4.broadcast(q))).toBe(true)
      expect(ipv4.broadcast(q) - ipv4.network(q)).toBe(2 ** (32 - prefixLength) - 1)
    }),
  )
})

test('kinds of address', () => {
  expect(ipv4.isMulticast(0xe000_0001) && ipv4.isMulticast(0xefff_ffff)).toBe(true)
  expect(ipv4.isMulticast(0xf000_0000) || ipv4.isMulticast(0xdfff_ffff)).toBe(false)
  expect(ipv4.isLoopback(0x7f12_3456)).toBe(true)
  expect(ipv4.isLoopback(0x8000_0000)).toBe(false)
})
