import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as nsh from '../../../protocols/wire/nsh.ts'

const word = fc.integer({ min: 0, max: 0xffff_ffff })
const tlv = fc.record({
  class: fc.integer({ min: 0, max: 0xffff }),
  type: fc.integer({ min: 0, max: 0xff }),
  data: fc.uint8Array({ maxLength: 40 }),
})
const repr: fc.Arbitrary<nsh.Repr> = fc.record({
  flags: fc.integer({ min: 0, max: 3 }),
  ttl: fc.integer({ min: 0, max: 63 }),
  nextProtocol: fc.integer({ min: 0, max: 255 }),
  spi: fc.integer({ min: 0, max: 0xff_ffff }),
  si: fc.integer({ min: 0, max: 255 }),
  context: fc.oneof(
    fc.record({ words: fc.array(word, { minLength: 4, maxLength: 4 }) }),
    fc.record({ tlvs: fc.array(tlv, { maxLength: 5 }) }),
  ),
})

test('what is emitted is parsed back, wherever it stands', () => {
  fc.assert(
    fc.property(repr, fc.nat(9), (r, o) => {
      const b = new Uint8Array(o + 300).fill(0xaa)
      nsh.emit(r, b, o)
      expect(nsh.length(b, o)).toBe(nsh.headerLength(r))
      expect(nsh.parse(b, o, b.length)).toEqual(r)
      expect([...b.subarray(o + nsh.headerLength(r))].every((x) => x === 0xaa)).toBe(true)
      expect(nsh.check(b, o, o + nsh.headerLength(r) - 1)).toBe(false)
    }),
  )
})

test('the header of RFC 8300 figure 2 to 4, bit by bit', () => {
  const b = new Uint8Array(24)
  const context = { words: [0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff00] }
  nsh.emit({ flags: 2, ttl: 63, nextProtocol: nsh.NP_ETHERNET, spi: 0x1234, si: 255, context }, b, 0)
  expect(Buffer.from(b).toString('hex')).toBe('2fc60103001234ff112233445566778899aabbccddeeff00')
})

test('any bytes are refused or read within their bounds', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(80), (b, o) => {
      const r = nsh.parse(b, o, b.length)
      if (r === undefined) return
      expect(o + nsh.headerLength(r)).toBeLessThanOrEqual(b.length)
    }),
    { numRuns: 2000 },
  )
})
