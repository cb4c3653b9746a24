import fc from 'fast-check'
import { expect, test } from 'vitest'
import { normalRule, type Rule, RuleTable } from '../../../engine/classifier/rule-table.ts'
import { FLOW_WORDS, W_NW_DST, W_NW_SRC, W_TP } from '../../../protocols/flow-key.ts'

const WORDS = [W_NW_SRC, W_NW_DST, W_TP]
const MASKS = [0, 0x3, 0xc, 0xf]

/** Few values in few words, so that rules overlap, shadow one another and are hit. */
const rule: fc.Arbitrary<Rule> = fc
  .record({
    priority: fc.nat(3),
    masks: fc.array(fc.constantFrom(...MASKS), { minLength: 3, maxLength: 3 }),
    values: fc.array(fc.nat(15), { minLength: 3, maxLength: 3 }),
    cookie: fc.nat(1000),
  })
  .map(({ priority, masks, values, cookie }) => {
    const match = new Uint32Array(FLOW_WORDS)
    const mask = new Uint32Array(FLOW_WORDS)
    WORDS.forEach((w, i) => {
      mask[w] = masks[i]
      match[w] = values[i] & masks[i]
    })
    return { ...normalRule(), priority, match, mask, cookie }
  })

const flow = fc.array(fc.nat(15), { minLength: 3, maxLength: 3 }).map((values) => {
  const words = new Uint32Array(FLOW_WORDS)
  WORDS.forEach((w, i) => {
    words[w] = values[i]
  })
  return words
})

const same = (a: Uint32Array, b: Uint32Array) => a.every((w, i) => w === b[i])
const matching = (r: Rule, f: Uint32Array) => r.match.every((w, i) => ((w ^ f[i]) & r.mask[i]) === 0)

/** The twin: all rules in a row; the highest priority that matches. Ties between masks may go either way. */
function best(rules: readonly Rule[], f: Uint32Array): number | undefined {
  const found = rules.filter((r) => matching(r, f)).map((r) => r.priority)
  return found.length === 0 ? undefined : Math.max(...found)
}

const step = fc.record({ rule, remove: fc.boolean(), flow })

test('lookup finds what a search through all rules finds, while rules come and go', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const table = new RuleTable()
      let twin: Rule[] = []
      for (const s of steps) {
        const twinHas = twin.some(
          (r) => r.priority === s.rule.priority && same(r.match, s.rule.match) && same(r.mask, s.rule.mask),
        )
        twin = twin.filter(
          (r) => r.priority !== s.rule.priority || !same(r.match, s.rule.match) || !same(r.mask, s.rule.mask),
        )
        if (s.remove) {
          expect(table.remove(s.rule.match, s.rule.mask, s.rule.priority)).toBe(twinHas)
        } else {
          table.add(s.rule)
          twin.push(s.rule)
        }
        expect(table.size).toBe(twin.length)
        const found = table.lookup(s.flow, new Uint32Array(FLOW_WORDS))
        expect(found?.priority).toBe(best(twin, s.flow))
        if (found !== undefined) {
          expect(matching(found, s.flow)).toBe(true)
          expect(twin).toContain(found)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('any packet that agrees in the bits compared gets the same rule', () => {
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 12 }), flow, flow, (rules, a, b) => {
      const table = new RuleTable()
      for (const r of rules) table.add(r)
      const wc = new Uint32Array(FLOW_WORDS)
      const found = table.lookup(a, wc)
      const alike = a.map((word, i) => ((word & wc[i]) | (b[i] & ~wc[i])) >>> 0)
      expect(table.lookup(alike, new Uint32Array(FLOW_WORDS))).toBe(found)
    }),
    { numRuns: 2000 },
  )
})

test('bits already looked at stay noted', () => {
  const table = new RuleTable()
  table.add(normalRule())
  const wc = new Uint32Array(FLOW_WORDS)
  wc[W_TP] = 0xffff
  expect(table.lookup(new Uint32Array(FLOW_WORDS), wc)?.actions).toEqual([{ type: 'normal' }])
  expect(wc[W_TP]).toBe(0xffff)
})
