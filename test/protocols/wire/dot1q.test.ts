import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as dot1q from '../../../protocols/wire/dot1q.ts'
import { PING_REQUEST, QINQ_PING, TAGGED_PING } from './captured-frames.ts'

const tag = fc.record({
  tpid: fc.constantFrom(dot1q.TPID_8021Q, dot1q.TPID_8021AD),
  vid: fc.nat(4095),
  pcp: fc.nat(7),
  dei: fc.boolean(),
  innerType: fc.nat(0xffff),
})

test('a tagged ping', () => {
  expect(dot1q.parse(TAGGED_PING, 12, TAGGED_PING.length)).toEqual({
    tpid: 0x8100,
    vid: 10,
    pcp: 5,
    dei: false,
    innerType: 0x0800,
  })
})

test('a doubly tagged ping, outermost first', () => {
  expect(dot1q.parseAll(QINQ_PING, 12, QINQ_PING.length)).toEqual([
    { tpid: 0x88a8, vid: 200, pcp: 0, dei: true, innerType: 0x8100 },
    { tpid: 0x8100, vid: 10, pcp: 0, dei: false, innerType: 0x0800 },
  ])
  expect(dot1q.skip(QINQ_PING, 12, QINQ_PING.length)).toBe(20)
  expect(dot1q.skip(PING_REQUEST, 12, PING_REQUEST.length)).toBe(12)
})

test('what is written is read again, and every truncation refused', () => {
  fc.assert(
    fc.property(tag, fc.nat(5), (r, o) => {
      const b = new Uint8Array(o + 6)
      expect(dot1q.emit(r, b, o)).toBe(4)
      expect(dot1q.parse(b, o, b.length)).toEqual(r)
      for (let end = o; end < b.length; end++) expect(dot1q.check(b, o, end)).toBe(false)
    }),
  )
})

test('another type is no tag', () => {
  fc.assert(
    fc.property(fc.nat(0xffff), (type) => {
      const b = Uint8Array.of(type >>> 8, type, 0, 1, 8, 0)
      expect(dot1q.check(b, 0, 6)).toBe(type === 0x8100 || type === 0x88a8)
    }),
  )
})

test('an endless row of tags is left after MAX_TAGS', () => {
  const b = new Uint8Array(400)
  for (let i = 0; i < b.length; i += 4) b[i] = 0x81
  expect(dot1q.skip(b, 0, b.length)).toBe(4 * dot1q.MAX_TAGS)
  expect(dot1q.parseAll(b, 0, b.length)).toHaveLength(dot1q.MAX_TAGS)
})

test('push puts the tag in front, pop takes it away', () => {
  const b = new Uint8Array(8 + QINQ_PING.length)
  const start = b.length - PING_REQUEST.length
  b.set(PING_REQUEST, start)
  const once = dot1q.push(b, start, dot1q.TPID_8021Q, dot1q.makeTci(10, 5))
  expect(b.subarray(once)).toEqual(TAGGED_PING)
  dot1q.setTci(b, once + 12, 10)
  const twice = dot1q.push(b, once, dot1q.TPID_8021AD, dot1q.makeTci(200, 0, true))
  expect(b.subarray(twice)).toEqual(QINQ_PING)
  expect(b.subarray(dot1q.pop(b, dot1q.pop(b, twice)))).toEqual(PING_REQUEST)
})

test('a changed VLAN id keeps the priority', () => {
  const b = TAGGED_PING.slice()
  dot1q.setVid(b, 12, 4094)
  expect([dot1q.vid(b, 12), dot1q.pcp(b, 12), dot1q.dei(b, 12)]).toEqual([4094, 5, false])
})
