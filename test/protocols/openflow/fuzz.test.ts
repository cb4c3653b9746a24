/** Whatever bytes come, decoders answer with a value or a fault; what they give can be written and read again. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../../../protocols/openflow/byte-writer.ts'
import { isFault } from '../../../protocols/openflow/error.ts'
import { decodeInstructions, encodeInstructions } from '../../../protocols/openflow/instruction.ts'
import { equalMatch } from '../../../protocols/openflow/match.ts'
import { decodeOxmFields, decodeOxmMatch, encodeOxmFields } from '../../../protocols/openflow/match-nxm.ts'
import { decodeOf10Match, OF10_MATCH_LEN } from '../../../protocols/openflow/match-of10.ts'
import { decodeOf11Match, OF11_MATCH_LEN } from '../../../protocols/openflow/match-of11.ts'
import { formatActions } from '../../../protocols/openflow/text/action-format.ts'
import { parseFlow } from '../../../protocols/openflow/text/flow-parse.ts'
import { formatMatch } from '../../../protocols/openflow/text/match-format.ts'
import { FlowSyntaxError } from '../../../protocols/openflow/text/scan.ts'
import type { OfVersion } from '../../../protocols/openflow/version.ts'
import { FLOWS } from './flows.ts'

const CASES = 60_000
const VERSIONS: readonly OfVersion[] = [1, 2, 3, 4, 5, 6]

/** A small generator of its own: fast-check's shrinking is of no use for a count of cases. */
function generator(seed: number): (n: number) => number {
  let s = seed
  return (n) => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0
    return Math.floor((s / 2 ** 32) * n)
  }
}

function encoded(version: OfVersion): { actions: Uint8Array; match: Uint8Array }[] {
  return FLOWS.map((f) => {
    const fm = parseFlow(f)
    const a = new ByteWriter()
    encodeInstructions(a, fm.actions, version, fm.match)
    const m = new ByteWriter()
    encodeOxmFields(m, fm.match, version === 1 ? 0 : version)
    return { actions: a.finish(), match: m.finish() }
  })
}

/** Valid bytes with some changed, cut or lengthened; or random ones. */
function spoil(b: Uint8Array, random: (n: number) => number): Uint8Array {
  const kind = random(8)
  if (kind === 0) return Uint8Array.from({ length: random(64) }, () => random(256))
  const out = kind === 1 ? b.slice(0, random(b.length + 1)) : b.slice()
  for (let i = random(4); i > 0 && out.length > 0; i--)
    out[random(out.length)] = kind < 5 ? random(256) : random(4)
  return out
}

describe.each(VERSIONS)('spoiled bytes in version %i', (version) => {
  const valid = encoded(version)
  const random = generator(version * 7919)

  it(`${CASES} action lists and matches never throw, and what is decoded is printed`, () => {
    let decoded = 0
    for (let i = 0; i < CASES / 2; i++) {
      const { actions, match } = valid[random(valid.length)]
      const b = spoil(actions, random)
      const a = decodeInstructions(b, 0, b.length, version)
      if (!isFault(a)) {
        decoded++
        formatActions(a)
        encodeInstructions(new ByteWriter(), a, version)
      }
      const c = spoil(match, random)
      const m = decodeOxmFields(c, 0, c.length, { allowCookie: version === 1 })
      if (!isFault(m)) {
        decoded++
        formatMatch(m.match)
        encodeOxmFields(new ByteWriter(), m.match, version === 1 ? 0 : version)
      }
      decodeOxmMatch(c, 0, c.length)
    }
    expect(decoded).toBeGreaterThan(CASES / 20)
  })

  it('a decoded match is encoded to bytes that decode to the same match', () => {
    for (const { match } of valid) {
      const m = decodeOxmFields(match, 0, match.length)
      if (isFault(m)) continue
      const w = new ByteWriter()
      encodeOxmFields(w, m.match, version === 1 ? 0 : version)
      const again = decodeOxmFields(w.finish(), 0, w.length)
      expect(isFault(again) ? again.error : equalMatch(again.match, m.match)).toBe(true)
    }
  })
})

it('fixed matches never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: OF11_MATCH_LEN, maxLength: OF11_MATCH_LEN }), (b) => {
      formatMatch(decodeOf10Match(b.subarray(0, OF10_MATCH_LEN), 0))
      b.set([0, 0, 0, OF11_MATCH_LEN])
      const m = decodeOf11Match(b, 0)
      if (!isFault(m)) formatMatch(m)
    }),
    { numRuns: 5000 },
  )
})

it('spoiled text is refused with a syntax error', () => {
  const random = generator(1)
  for (let i = 0; i < 30_000; i++) {
    const chars = [...FLOWS[random(FLOWS.length)]]
    for (let n = 1 + random(3); n > 0; n--)
      chars.splice(random(chars.length), random(3), '[]()=,:/-+> x09'[random(15)])
    try {
      formatMatch(parseFlow(chars.join('')).match)
    } catch (e) {
      if (!(e instanceof FlowSyntaxError)) throw e
    }
  }
})
