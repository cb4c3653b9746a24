import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as arp from '../../../protocols/wire/arp.ts'
import { ARP_REPLY, ARP_REQUEST } from './captured-frames.ts'

const mac = fc.integer({ min: 0, max: 0xffff_ffff_ffff })
const address = fc.integer({ min: 0, max: 0xffff_ffff })

test('a real request and its reply', () => {
  expect(arp.parse(ARP_REQUEST, 14, ARP_REQUEST.length)).toEqual({
    operation: arp.REQUEST,
    sha: 0x0200_0000_0001,
    spa: 0x0a00_0001,
    tha: 0,
    tpa: 0x0a00_00fe,
  })
  expect(arp.parse(ARP_REPLY, 14, ARP_REPLY.length)).toEqual({
    operation: arp.REPLY,
    sha: 0x0200_0000_00fe,
    spa: 0x0a00_00fe,
    tha: 0x0200_0000_0001,
    tpa: 0x0a00_0001,
  })
})

test('a reply is written as the kernel writes it', () => {
  const b = ARP_REPLY.slice().fill(0xee, 14)
  expect(arp.emit(arp.parse(ARP_REPLY, 14, ARP_REPLY.length)!, b, 14)).toBe(28)
  expect(b).toEqual(ARP_REPLY)
})

test('what is written is read again, and every truncation refused', () => {
  const repr = fc.record({ operation: fc.nat(0xffff), sha: mac, spa: address, tha: mac, tpa: address })
  fc.assert(
    fc.property(repr, fc.nat(5), (r, o) => {
      const b = new Uint8Array(o + arp.LEN)
      arp.emit(r, b, o)
      expect(arp.parse(b, o, b.length)).toEqual(r)
      for (let end = o; end < b.length; end++) expect(arp.check(b, o, end)).toBe(false)
    }),
  )
})

test.each([
  ['hardware type', 0],
  ['hardware type', 1],
  ['protocol type', 2],
  ['protocol type', 3],
  ['hardware length', 4],
  ['protocol length', 5],
])('another %s is refused (byte %i)', (_, at) => {
  const b = ARP_REQUEST.slice()
  b[14 + at] ^= 0x10
  expect(arp.check(b, 14, b.length)).toBe(false)
})
