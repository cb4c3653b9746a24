import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as icmpv4 from '../../../protocols/wire/icmpv4.ts'
import * as ipv4 from '../../../protocols/wire/ipv4.ts'
import {
  FRAGMENTATION_NEEDED,
  PING_REPLY,
  PING_REQUEST,
  PORT_UNREACHABLE,
  TIME_EXCEEDED,
  TRACEROUTE_PROBE,
  UDP_HELLO,
} from './captured-frames.ts'

const L4 = 34

describe('real messages', () => {
  test('an echo request and its reply', () => {
    const request = icmpv4.parse(PING_REQUEST, L4, PING_REQUEST.length)!
    expect(request).toMatchObject({ type: icmpv4.ECHO_REQUEST, code: 0, rest: icmpv4.queryRest(38, 1) })
    expect([icmpv4.identifier(PING_REQUEST, L4), icmpv4.sequence(PING_REQUEST, L4)]).toEqual([38, 1])
    const reply = icmpv4.parse(PING_REPLY, L4, PING_REPLY.length)!
    expect(reply).toEqual({ ...request, type: icmpv4.ECHO_REPLY })
    // A request becomes its reply in place.
    const b = PING_REQUEST.slice()
    icmpv4.rewriteType(b, L4, icmpv4.ECHO_REPLY)
    expect(b.subarray(L4)).toEqual(PING_REPLY.subarray(L4))
  })

  test('time exceeded, written as the kernel writes it', () => {
    const b = TIME_EXCEEDED.slice().fill(0xee, L4)
    const len = icmpv4.emitError(icmpv4.TIME_EXCEEDED, icmpv4.TTL_EXCEEDED, 0, TRACEROUTE_PROBE, 14, b, L4)
    expect(len).toBe(68)
    expect(b).toEqual(TIME_EXCEEDED)
    expect(icmpv4.checkQuoted(b, L4, b.length)).toBe(true)
  })

  test('port unreachable, about a datagram with another TTL at its end', () => {
    const original = UDP_HELLO.slice()
    ipv4.rewriteTtl(original, 14, PORT_UNREACHABLE[L4 + 8 + ipv4.TTL])
    const b = PORT_UNREACHABLE.slice().fill(0xee, L4)
    icmpv4.emitError(icmpv4.DESTINATION_UNREACHABLE, icmpv4.PORT_UNREACHABLE, 0, original, 14, b, L4)
    expect(b).toEqual(PORT_UNREACHABLE)
  })

  test('fragmentation needed: next-hop MTU, and the 576 bytes of RFC 1812 §4.3.2.3', () => {
    const f = FRAGMENTATION_NEEDED
    expect(icmpv4.type(f, L4)).toBe(icmpv4.DESTINATION_UNREACHABLE)
    expect(icmpv4.code(f, L4)).toBe(icmpv4.FRAGMENTATION_NEEDED)
    expect(icmpv4.nextHopMtu(f, L4)).toBe(1400)
    expect(icmpv4.verifyChecksum(f, L4, f.length)).toBe(true)
    expect(ipv4.totalLength(f, 14)).toBe(icmpv4.ERROR_DATAGRAM_MAX)
    // The quoted datagram was 1,500 bytes long; what is quoted of it makes the same message again.
    const original = new Uint8Array(1500)
    original.set(f.subarray(L4 + 8))
    const b = new Uint8Array(f.length)
    b.set(f.subarray(0, L4))
    expect(icmpv4.emitError(3, 4, 1400, original, 0, b, L4)).toBe(556)
    expect(b).toEqual(f)
  })
})

test('an error quotes neither padding nor more than there is', () => {
  const frame = new Uint8Array(60)
  ipv4.emit({ src: 1, dst: 2, protocol: 17, ttl: 1, payloadLength: 8 }, frame, 14)
  const b = new Uint8Array(100).fill(0xee)
  expect(icmpv4.emitError(icmpv4.TIME_EXCEEDED, 0, 0, frame, 14, b, 0)).toBe(8 + 28)
  expect(b[36]).toBe(0xee)
  expect(b.subarray(8, 36)).toEqual(frame.subarray(14, 42))
})

test('what is written is read again, and every truncation of the header refused', () => {
  const repr = fc.record({
    type: fc.nat(255),
    code: fc.nat(255),
    rest: fc.integer({ min: 0, max: 0xffff_ffff }),
    data: fc.uint8Array({ maxLength: 100 }),
  })
  fc.assert(
    fc.property(repr, fc.nat(3), (r, o) => {
      const b = new Uint8Array(o + 8 + r.data.length)
      expect(icmpv4.emit(r, b, o)).toBe(8 + r.data.length)
      expect(icmpv4.parse(b, o, b.length)).toEqual(r)
      for (let end = o; end < o + 8; end++) expect(icmpv4.check(b, o, end)).toBe(false)
    }),
  )
})

test('a bad checksum is no message', () => {
  const b = PING_REQUEST.slice()
  b[60] ^= 4
  expect(icmpv4.parse(b, L4, b.length)).toBeUndefined()
})

test('rewriting equals writing anew', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), fc.nat(255), fc.uint8Array({ maxLength: 40 }), (identifier, type, data) => {
      const b = new Uint8Array(8 + data.length)
      const fresh = new Uint8Array(8 + data.length)
      icmpv4.emit({ type: 8, code: 0, rest: icmpv4.queryRest(38, 7), data }, b, 0)
      icmpv4.rewriteIdentifier(b, 0, identifier)
      icmpv4.rewriteType(b, 0, type)
      icmpv4.emit({ type, code: 0, rest: icmpv4.queryRest(identifier, 7), data }, fresh, 0)
      expect(b).toEqual(fresh)
      expect(icmpv4.verifyChecksum(b, 0, b.length)).toBe(true)
    }),
  )
})

test('a quoted datagram needs its header and eight bytes more', () => {
  const f = TIME_EXCEEDED
  for (let end = L4; end < L4 + 8 + 28; end++) expect(icmpv4.checkQuoted(f, L4, end)).toBe(false)
  expect(icmpv4.checkQuoted(f, L4, L4 + 8 + 28)).toBe(true)
})

test('errors, queries and replies', () => {
  const all = Array.from({ length: 256 }, (_, i) => i)
  expect(all.filter(icmpv4.isError)).toEqual([3, 4, 5, 11, 12])
  expect(all.filter(icmpv4.isQuery)).toEqual([8, 13, 15, 17])
  expect(all.filter(icmpv4.isReply)).toEqual([0, 14, 16, 18])
})

test('fields of other types', () => {
  const redirect = new Uint8Array(8)
  icmpv4.emit({ type: icmpv4.REDIRECT, code: 1, rest: 0xc0a8_0001, data: new Uint8Array(0) }, redirect, 0)
  expect(icmpv4.gateway(redirect, 0)).toBe(0xc0a8_0001)
  const problem = new Uint8Array(8)
  icmpv4.emit(
    { type: icmpv4.PARAMETER_PROBLEM, code: 0, rest: 21 << 24, data: new Uint8Array(0) },
    problem,
    0,
  )
  expect(icmpv4.pointer(problem, 0)).toBe(21)
})
