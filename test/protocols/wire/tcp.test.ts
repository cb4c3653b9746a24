import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pseudoHeader4 } from '../../../protocols/wire/checksum.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import * as tcp from '../../../protocols/wire/tcp.ts'
import { TCP_DATA, TCP_RST, TCP_SYN, TCP_SYN_ACK } from './captured-frames.ts'

const L4 = 34
const port = fc.nat(0xffff)
const long = fc.integer({ min: 0, max: 0xffff_ffff })
const repr = fc.record({
  srcPort: port,
  dstPort: port,
  seq: long,
  ack: long,
  flags: fc.nat(0xfff),
  window: port,
  urgentPointer: port,
  options: fc.nat(10).chain((n) => fc.uint8Array({ minLength: 4 * n, maxLength: 4 * n })),
})
const payload = fc.uint8Array({ maxLength: 60 })

function pseudoOf(frame: Uint8Array): number {
  return pseudoHeader4(ipv4.src(frame, 14), ipv4.dst(frame, 14), ipv4.PROTO_TCP, ipv4.end(frame, 14) - L4)
}

/** A segment with its checksum, at an odd offset. */
function make(src: number, dst: number, r: tcp.Repr, data: Uint8Array): Uint8Array {
  const len = tcp.HEADER_LEN + r.options.length + data.length
  const b = new Uint8Array(1 + len)
  b.set(data, 1 + tcp.emit(r, b, 1))
  tcp.fillChecksum(b, 1, b.length, pseudoHeader4(src, dst, ipv4.PROTO_TCP, len))
  return b
}

test('a real SYN', () => {
  expect(tcp.parse(TCP_SYN, L4, TCP_SYN.length)).toMatchObject({
    srcPort: 39502,
    dstPort: 80,
    seq: 1106536199,
    ack: 0,
    flags: tcp.SYN,
    window: 64240,
    urgentPointer: 0,
  })
  expect(tcp.headerLength(TCP_SYN, L4)).toBe(40)
  expect(tcp.mss(TCP_SYN, L4)).toBe(1460)
  expect(TCP_SYN[tcp.findOption(TCP_SYN, L4, tcp.OPTION_WINDOW_SCALE) + 2]).toBe(10)
  expect(tcp.findOption(TCP_SYN, L4, tcp.OPTION_TIMESTAMPS)).toBeGreaterThan(L4 + 20)
  expect(tcp.findOption(TCP_SYN, L4, tcp.OPTION_SACK)).toBe(0)
})

test('flags of real segments', () => {
  expect(tcp.flags(TCP_SYN_ACK, L4)).toBe(tcp.SYN | tcp.ACK)
  expect(tcp.flags(TCP_RST, L4)).toBe(tcp.RST | tcp.ACK)
  expect(tcp.flags(TCP_DATA, L4)).toBe(tcp.PSH | tcp.ACK)
  expect(tcp.mss(TCP_DATA, L4)).toBe(0)
})

test('checksums of real segments', () => {
  for (const frame of [TCP_SYN, TCP_SYN_ACK, TCP_RST, TCP_DATA]) {
    const end = ipv4.end(frame, 14)
    expect(tcp.verifyChecksum(frame, L4, end, pseudoOf(frame))).toBe(true)
    const b = frame.slice()
    tcp.fillChecksum(b, L4, end, pseudoOf(b))
    expect(b).toEqual(frame)
    b[L4 + 5] ^= 1
    expect(tcp.verifyChecksum(b, L4, end, pseudoOf(b))).toBe(false)
  }
})

test('what is written is read again, and every truncation of the header refused', () => {
  fc.assert(
    fc.property(repr, payload, (r, data) => {
      const b = make(1, 2, r, data)
      expect(tcp.parse(b, 1, b.length)).toEqual(r)
      const end = 1 + tcp.headerLength(b, 1)
      expect(end).toBe(b.length - data.length)
      for (let at = 1; at < end; at++) expect(tcp.check(b, 1, at)).toBe(false)
    }),
  )
})

test('a data offset below five is refused', () => {
  const b = TCP_RST.slice()
  b[L4 + 12] = 0x40
  expect(tcp.check(b, L4, b.length)).toBe(false)
})

test('rewriting equals writing anew', () => {
  fc.assert(
    fc.property(repr, payload, long, long, port, port, long, (r, data, src, dst, srcPort, dstPort, to) => {
      const b = make(src, dst, r, data)
      tcp.rewriteSrcPort(b, 1, srcPort)
      tcp.rewriteDstPort(b, 1, dstPort)
      tcp.adjustAddress(b, 1, dst, to)
      expect(b).toEqual(make(src, to, { ...r, srcPort, dstPort }, data))
    }),
  )
})

test('a partial checksum follows addresses, and ports leave it alone', () => {
  const b = new Uint8Array(20)
  const before = pseudoHeader4(0x0a00_0001, 0x0808_0808, 6, 20)
  b[16] = before >>> 8
  b[17] = before
  tcp.setSrcPort(b, 0, 0x1111)
  tcp.setDstPort(b, 0, 0x2222)
  expect([tcp.srcPort(b, 0), tcp.dstPort(b, 0), tcp.checksum(b, 0)]).toEqual([0x1111, 0x2222, before])
  tcp.adjustPartialAddress(b, 0, 0x0808_0808, 0xc0a8_640b)
  expect(tcp.checksum(b, 0)).toBe(pseudoHeader4(0x0a00_0001, 0xc0a8_640b, 6, 20))
})

describe('MSS clamping', () => {
  test('lowers what a real SYN announces, and only lowers', () => {
    const b = TCP_SYN.slice()
    expect(tcp.clampMss(b, L4, 1460)).toBe(false)
    expect(b).toEqual(TCP_SYN)
    expect(tcp.clampMss(b, L4, 1360)).toBe(true)
    expect(tcp.mss(b, L4)).toBe(1360)
    expect(tcp.verifyChecksum(b, L4, b.length, pseudoOf(b))).toBe(true)
  })

  test('keeps the checksum right at any alignment of the option and of the header', () => {
    fc.assert(
      fc.property(fc.nat(4), port, port, fc.nat(1), (nops, mss, max, o) => {
        const options = new Uint8Array(8).fill(tcp.OPTION_NOP)
        options.set([tcp.OPTION_MSS, 4, mss >>> 8, mss], nops)
        const r = { srcPort: 1, dstPort: 2, seq: 3, ack: 4, flags: 2, window: 5, urgentPointer: 0, options }
        const b = new Uint8Array(o + 28)
        tcp.emit(r, b, o)
        tcp.fillChecksum(b, o, b.length, 77)
        expect(tcp.clampMss(b, o, max)).toBe(max < mss)
        expect(tcp.mss(b, o)).toBe(Math.min(mss, max))
        expect(tcp.verifyChecksum(b, o, b.length, 77)).toBe(true)
      }),
    )
  })

  test('leaves a partial checksum alone', () => {
    const b = TCP_SYN.slice()
    expect(tcp.clampMss(b, L4, 500, true)).toBe(true)
    expect(tcp.checksum(b, L4)).toBe(tcp.checksum(TCP_SYN, L4))
  })
})

test.each([
  ['length zero', [8, 0, 2, 4]],
  ['a length beyond the header', [8, 5, 2, 4]],
  ['the option itself when it does not fit', [1, 1, 2, 4]],
  ['the end of the list', [0, 2, 4, 5]],
  ['a kind without a length', [1, 1, 1, 2]],
])('the search for options ends at %s', (_, options) => {
  const b = new Uint8Array(24)
  const r = { srcPort: 1, dstPort: 2, seq: 3, ack: 4, flags: 2, window: 5, urgentPointer: 0 }
  tcp.emit({ ...r, options: Uint8Array.from(options) }, b, 0)
  expect(tcp.findOption(b, 0, tcp.OPTION_MSS)).toBe(0)
  expect(tcp.clampMss(b, 0, 0)).toBe(false)
})

test('random options never lead outside of the header', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(39), (options, pick) => {
      const kind = options[pick % options.length]
      fc.pre(kind > 1)
      const b = new Uint8Array(60)
      const r = { srcPort: 1, dstPort: 2, seq: 3, ack: 4, flags: 2, window: 5, urgentPointer: 0, options }
      const len = tcp.emit(r, b, 0)
      const at = tcp.findOption(b, 0, kind)
      if (at === 0) return
      expect(b[at]).toBe(kind)
      expect(at + b[at + 1]).toBeLessThanOrEqual(len)
    }),
  )
})
