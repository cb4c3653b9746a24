import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pseudoHeader6 } from '../../../protocols/wire/checksum.ts'
import * as icmpv6 from '../../../protocols/wire/icmpv6.ts'
import { hex, NEIGHBOR_SOLICITATION } from './captured-frames.ts'

const L4 = 54

test('a real neighbour solicitation', () => {
  const f = NEIGHBOR_SOLICITATION
  expect(icmpv6.checkNeighbor(f, L4, f.length)).toBe(true)
  expect([icmpv6.type(f, L4), icmpv6.code(f, L4)]).toEqual([icmpv6.NEIGHBOR_SOLICITATION, 0])
  expect([0, 1, 2, 3].map((i) => icmpv6.targetWord(f, L4, i))).toEqual([0xfe80_0000, 0, 0xff, 0xfe00_0001])
  // Its only option is a nonce.
  expect(icmpv6.linkLayerAddress(f, L4, f.length, icmpv6.OPTION_SOURCE_LINK_LAYER)).toBe(0)
  const pseudo = pseudoHeader6(f, 22, 58, f.length - L4)
  expect(icmpv6.verifyChecksum(f, L4, f.length, pseudo)).toBe(true)
  const b = f.slice()
  icmpv6.fillChecksum(b, L4, b.length, pseudo)
  expect(b).toEqual(f)
  b[L4 + 10] ^= 1
  expect(icmpv6.verifyChecksum(b, L4, b.length, pseudo)).toBe(false)
})

test('what is written is read again, and every truncation of the header refused', () => {
  const repr = fc.record({
    type: fc.nat(255),
    code: fc.nat(255),
    rest: fc.integer({ min: 0, max: 0xffff_ffff }),
    data: fc.uint8Array({ maxLength: 60 }),
  })
  fc.assert(
    fc.property(repr, fc.nat(3), (r, o) => {
      const b = new Uint8Array(o + 8 + r.data.length)
      expect(icmpv6.emit(r, b, o)).toBe(8 + r.data.length)
      expect(icmpv6.parse(b, o, b.length)).toEqual(r)
      for (let end = o; end < o + 8; end++) expect(icmpv6.check(b, o, end)).toBe(false)
    }),
  )
})

describe('neighbour discovery', () => {
  const advertisement = hex(`
    8800 0000 6000 0000 fe80 0000 0000 0000 0000 00ff fe00 0001
    0101 0200 0000 0009
    0201 0200 0000 0001
  `)

  test('a message is refused when its target is cut short, or its code is not zero', () => {
    for (let end = 0; end < 24; end++) expect(icmpv6.checkNeighbor(advertisement, 0, end)).toBe(false)
    expect(icmpv6.checkNeighbor(advertisement, 0, 24)).toBe(true)
    const b = advertisement.slice()
    b[1] = 1
    expect(icmpv6.checkNeighbor(b, 0, b.length)).toBe(false)
    b[1] = 0
    b[0] = icmpv6.ECHO_REQUEST
    expect(icmpv6.checkNeighbor(b, 0, b.length)).toBe(false)
  })

  test('link-layer addresses are found by kind', () => {
    const find = (kind: number, end = 40): number => icmpv6.linkLayerAddress(advertisement, 0, end, kind)
    expect(find(icmpv6.OPTION_SOURCE_LINK_LAYER)).toBe(26)
    expect(find(icmpv6.OPTION_TARGET_LINK_LAYER)).toBe(34)
    expect(find(icmpv6.OPTION_TARGET_LINK_LAYER, 39)).toBe(0)
    expect(find(3)).toBe(0)
  })

  test.each([
    ['of length zero ends the search', '0100 0000 0000 0000 0201 0200 0000 0001', 0],
    ['that is cut short ends the search', '0103 0000 0000 0000 0201 0200 0000 0001', 0],
    ['of another length is no Ethernet address', '0202 0200 0000 0001 0000 0000 0000 0000', 0],
    ['of another kind is skipped', '0e01 0200 0000 0001 0201 0200 0000 0001', 34],
  ])('an option %s', (_, options, at) => {
    const b = advertisement.slice()
    b.set(hex(options), 24)
    expect(icmpv6.linkLayerAddress(b, 0, b.length, icmpv6.OPTION_TARGET_LINK_LAYER)).toBe(at)
  })

  test('options begin where RFC 4861 §4.1 to §4.5 say', () => {
    expect([133, 134, 135, 136, 137].map(icmpv6.optionsOffset)).toEqual([8, 16, 24, 24, 40])
    expect(icmpv6.optionsOffset(icmpv6.ECHO_REPLY)).toBe(0)
    const echo = advertisement.slice()
    echo[0] = icmpv6.ECHO_REPLY
    expect(icmpv6.linkLayerAddress(echo, 0, echo.length, 2)).toBe(0)
  })
})
