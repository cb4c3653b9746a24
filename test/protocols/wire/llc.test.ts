import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as llc from '../../../protocols/wire/llc.ts'
import { BPDU, PING_REQUEST, SNAP_IPV4 } from './captured-frames.ts'

test('a BPDU', () => {
  expect(llc.parse(BPDU, 12, BPDU.length)).toEqual({ length: 38, dsap: 0x42, ssap: 0x42, control: 3 })
  expect(llc.end(BPDU, 12)).toBe(52)
})

test('an IPv4 datagram in SNAP', () => {
  expect(llc.parse(SNAP_IPV4, 12, SNAP_IPV4.length)).toEqual({
    length: 92,
    dsap: llc.SAP_SNAP,
    ssap: llc.SAP_SNAP,
    control: llc.CONTROL_UI,
    snap: { oui: llc.OUI_ETHERNET, protocol: 0x0800 },
  })
  expect(SNAP_IPV4.subarray(12 + llc.SNAP_HEADER_LEN)).toEqual(PING_REQUEST.subarray(14))
})

test('a type is no length, nor is a length beyond the frame or too short for LLC', () => {
  expect(llc.check(PING_REQUEST, 12, PING_REQUEST.length)).toBe(false)
  const b = new Uint8Array(1600)
  const withLength = (n: number): boolean => {
    b[12] = n >>> 8
    b[13] = n
    return llc.check(b, 12, b.length)
  }
  expect([2, 3, 1500, 1501, 1535].map(withLength)).toEqual([false, true, true, false, false])
})

test('SNAP needs its eight bytes', () => {
  const b = SNAP_IPV4.slice()
  b[13] = 7
  expect(llc.parse(b, 12, b.length)).not.toHaveProperty('snap')
})

test('what is written is read again, and every truncation refused', () => {
  const header = fc.record({
    length: fc.integer({ min: 8, max: 1500 }),
    dsap: fc.nat(0x7f),
    ssap: fc.nat(255),
    control: fc.nat(255),
  })
  const snap = fc.record({ oui: fc.nat(0xff_ffff), protocol: fc.nat(0xffff) })
  const withSnap = fc.tuple(fc.integer({ min: 8, max: 1500 }), snap).map(([length, s]) => ({
    length,
    dsap: llc.SAP_SNAP,
    ssap: llc.SAP_SNAP,
    control: llc.CONTROL_UI,
    snap: s,
  }))
  fc.assert(
    fc.property(fc.oneof(header, withSnap), (r) => {
      const b = new Uint8Array(2 + r.length)
      llc.emit(r, b, 0)
      expect(llc.parse(b, 0, b.length)).toEqual(r)
      for (let end = 0; end < b.length; end++) if (llc.check(b, 0, end)) expect.fail(`accepted ${end}`)
    }),
    { numRuns: 50 },
  )
})
