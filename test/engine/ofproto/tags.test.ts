import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  TAG_BRIDGE,
  TAG_CONNECTION,
  TAG_COUNT,
  TAG_CT_TUPLE,
  TAG_MAC,
  TAG_MAPPING,
  TAG_NEIGHBOR,
  TAG_ROUTER,
  tagOf,
} from '../../../engine/ofproto/tags.ts'

const word = fc.nat(0xffff_ffff)

describe('tags', () => {
  it('of what a flood changes are never those of a bridge, a router or a next hop', () => {
    const flooded = fc.constantFrom(TAG_MAC, TAG_CONNECTION, TAG_MAPPING, TAG_CT_TUPLE)
    const popular = fc.constantFrom(TAG_BRIDGE, TAG_ROUTER, TAG_NEIGHBOR)
    // A collision by chance would show up within so many.
    const taken = new Set<number>()
    fc.assert(
      fc.property(popular, word, (kind, a) => {
        taken.add(tagOf(kind, a, 0, 0))
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(flooded, word, word, word, (kind, a, b, c) => {
        const tag = tagOf(kind, a, b, c)
        expect(tag).toBeGreaterThanOrEqual(0)
        expect(tag).toBeLessThan(TAG_COUNT)
        expect(taken.has(tag)).toBe(false)
      }),
      { numRuns: 5000 },
    )
  })

  it('of stations spread over their section', () => {
    const seen = new Set<number>()
    for (let n = 0; n < TAG_COUNT; n++) seen.add(tagOf(TAG_MAC, 0, 0x0200, n))
    expect(seen.size).toBeGreaterThan(TAG_COUNT / 10)
  })
})
