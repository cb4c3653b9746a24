import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as ethernet from '../../../protocols/wire/ethernet.ts'
import { ARP_REQUEST, MLD_REPORT } from './captured-frames.ts'

const mac = fc.integer({ min: 0, max: ethernet.BROADCAST })

test('reads a real broadcast', () => {
  expect(ethernet.parse(ARP_REQUEST, 0, ARP_REQUEST.length)).toEqual({
    dst: 0xffff_ffff_ffff,
    src: 0x0200_0000_0001,
    type: ethernet.TYPE_ARP,
  })
})

test('high and low words are halves of the address', () => {
  expect([ethernet.dstHi(MLD_REPORT, 0), ethernet.dstLo(MLD_REPORT, 0)]).toEqual([0x3333, 0x16])
  expect([ethernet.srcHi(MLD_REPORT, 0), ethernet.srcLo(MLD_REPORT, 0)]).toEqual([0x0200, 1])
})

test('what is written is read again, and every truncation refused', () => {
  fc.assert(
    fc.property(mac, mac, fc.nat(0xffff), fc.nat(5), (dst, src, type, o) => {
      const b = new Uint8Array(o + ethernet.HEADER_LEN)
      expect(ethernet.emit({ dst, src, type }, b, o)).toBe(14)
      expect(ethernet.parse(b, o, b.length)).toEqual({ dst, src, type })
      for (let end = o; end < b.length; end++) expect(ethernet.check(b, o, end)).toBe(false)
    }),
  )
})

test('setters change one field each', () => {
  fc.assert(
    fc.property(mac, mac, fc.nat(0xffff), (dst, src, type) => {
      const b = new Uint8Array(14)
      ethernet.setDst(b, 0, dst)
      ethernet.setSrc(b, 0, src)
      ethernet.setType(b, 0, type)
      expect(ethernet.parse(b, 0, 14)).toEqual({ dst, src, type })
    }),
  )
})

describe('text', () => {
  test.each([
    ['02:00:00:00:00:01', 0x0200_0000_0001],
    ['FF:ff:FF:ff:FF:ff', ethernet.BROADCAST],
    ['01-80-c2-00-00-0e', 0x0180_c200_000e],
  ])('%s', (text, value) => expect(ethernet.parseMac(text)).toBe(value))

  test.each([
    '',
    '02:00:00:00:00',
    '02:00:00:00:00:01:02',
    '2:0:0:0:0:1',
    '02:00:00:00:00:0g',
    '02:00-00:00:00:01',
    ' 02:00:00:00:00:01',
    '020000000001',
    '02:00:00:00:00:01\n',
  ])('%j is no address', (text) => expect(ethernet.parseMac(text)).toBeUndefined())

  test('goes both ways', () => {
    fc.assert(
      fc.property(mac, (m) => {
        expect(ethernet.parseMac(ethernet.formatMac(m))).toBe(m)
      }),
    )
    expect(ethernet.formatMac(1)).toBe('00:00:00:00:00:01')
  })
})

test('kinds of address', () => {
  expect(ethernet.isMulticast(ethernet.BROADCAST)).toBe(true)
  expect(ethernet.isMulticast(0x0100_5e00_0001)).toBe(true)
  expect(ethernet.isMulticast(0x0200_0000_0001)).toBe(false)
  expect(ethernet.isStation(0)).toBe(false)
  expect(ethernet.isStation(0x3333_0000_0001)).toBe(false)
  expect(ethernet.isStation(0xfe00_0000_0001)).toBe(true)
  expect(ethernet.isReservedMulticast(0x0180_c200_0000)).toBe(true)
  expect(ethernet.isReservedMulticast(0x0180_c200_000f)).toBe(true)
  expect(ethernet.isReservedMulticast(0x0180_c200_0010)).toBe(false)
  expect(ethernet.isReservedMulticast(0x0180_c1ff_ffff)).toBe(false)
})

test('RFC 1112 §6.4: a group keeps its low 23 bits', () => {
  expect(ethernet.formatMac(ethernet.multicastMac(0xe000_00fb))).toBe('01:00:5e:00:00:fb')
  expect(ethernet.formatMac(ethernet.multicastMac(0xefff_ffff))).toBe('01:00:5e:7f:ff:ff')
})
