import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Classifier } from '../../../engine/classifier/classifier.ts'
import { Footprints } from '../../../engine/classifier/footprints.ts'
import { Rule } from '../../../engine/ofproto/rule.ts'
import {
  FLOW_WORDS,
  W_CONJ_ID,
  W_IN_PORT,
  W_IPV6_DST,
  W_NW_DST,
  W_NW_SRC,
  W_REG,
  W_TP,
  W_TYPE,
} from '../../../protocols/flow-key.ts'
import type { OfAction } from '../../../protocols/openflow/action.ts'
import { copyMatch, emptyMatch, equalMatch, type Match } from '../../../protocols/openflow/match.ts'

/** A word of every stage, of tries and of ports, each with a few masks and values that share prefixes. */
const WORDS = [W_IN_PORT, W_REG, W_TYPE, W_NW_SRC, W_NW_DST, W_IPV6_DST, W_IPV6_DST + 1, W_TP]
const MASKS: Record<number, number[]> = {
  [W_IN_PORT]: [0, 0xffff_ffff],
  [W_REG]: [0, 0, 0x3],
  [W_TYPE]: [0, 0xffff_0000],
  [W_NW_SRC]: [0, 0x8000_0000, 0xe000_0000, 0xffff_0000, 0xffff_ffff, 0x0000_00ff],
  [W_NW_DST]: [0, 0xc000_0000, 0xffff_ffff],
  [W_IPV6_DST]: [0, 0, 0xf000_0000, 0xffff_ffff],
  [W_IPV6_DST + 1]: [0, 0, 0xc000_0000],
  [W_TP]: [0, 0xffff_0000, 0xffff, 0xffff_ffff, 0xff00_0000],
}
const VALUES = [0, 1, 2, 3, 0x8000_0000, 0xa000_0001, 0xa001_0001, 0xffff_ffff, 0x0800_0000, 0x0050_0051]

const words = fc.record({
  masks: fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(5)), {
    minLength: WORDS.length,
    maxLength: WORDS.length,
  }),
  values: fc.array(fc.nat(VALUES.length - 1), { minLength: WORDS.length, maxLength: WORDS.length }),
})
const match = words.map(({ masks, values }) => {
  const m = emptyMatch()
  WORDS.forEach((w, i) => {
    m.mask[w] = MASKS[w][masks[i] % MASKS[w].length]
    m.value[w] = VALUES[values[i]] & m.mask[w]
  })
  return m
})
const flow = words.map(({ values }) => {
  const f = new Uint32Array(FLOW_WORDS)
  WORDS.forEach((w, i) => {
    f[w] = VALUES[values[i]]
  })
  return f
})
const conjunctions = fc.array(
  fc
    .record({ id: fc.integer({ min: 1, max: 2 }), clause: fc.nat(1) })
    .map((c): OfAction => ({ type: 'conjunction', clauses: 2, ...c })),
  { minLength: 1, maxLength: 2 },
)
const entry = fc.record({
  match,
  priority: fc.nat(4),
  actions: fc.oneof(
    { weight: 3, arbitrary: fc.constant<OfAction[]>([]) },
    { weight: 2, arbitrary: conjunctions },
  ),
  conjId: fc.constantFrom<number>(0, 0, 0, 1, 2),
})

interface Entry {
  readonly match: Match
  readonly rule: Rule
}

function makeEntry(e: { match: Match; priority: number; actions: OfAction[]; conjId: number }): Entry {
  const m = copyMatch(e.match)
  if (e.conjId !== 0) {
    m.mask[W_CONJ_ID] = 0xffff_ffff
    m.value[W_CONJ_ID] = e.conjId
  }
  return { match: m, rule: new Rule({ tableId: 0, priority: e.priority, actions: e.actions }, 0) }
}

const meets = (m: Match, f: Uint32Array) => m.value.every((w, i) => ((w ^ f[i]) & m.mask[i]) === 0)

/**
 * The twin, from ovs-fields(7): rules in a row. The answer is a set: of rules of one priority that match, any
 * may be found.
 */
function answers(entries: readonly Entry[], f: Uint32Array, soft = true): (Rule | undefined)[] {
  const matching = entries.filter((e) => meets(e.match, f)).map((e) => e.rule)
  const priorities = [...new Set(matching.map((r) => r.priority))].sort((a, b) => b - a)
  for (const priority of priorities) {
    const here = matching.filter((r) => r.priority === priority)
    const hard = here.filter((r) => r.conjunctions === undefined)
    const clauses = here.flatMap((r) => r.conjunctions ?? [])
    const ids = [...new Set(clauses.map((c) => c.id))].filter((id) =>
      [0, 1].every((n) => clauses.some((c) => c.id === id && c.clause === n)),
    )
    const found: (Rule | undefined)[] = [...hard]
    // Hard and soft matches of one priority: either may win.
    if (soft) {
      for (const id of ids) {
        const g = f.slice()
        g[W_CONJ_ID] = id
        found.push(...answers(entries, g, false).filter((r) => r !== undefined))
      }
    }
    if (found.length > 0) {
      if (hard.length > 0 || ids.length === 1) return found
      return [
        ...found,
        ...answers(
          entries.filter((e) => e.rule.priority < priority),
          f,
          soft,
        ),
      ]
    }
  }
  return [undefined]
}

const step = fc.record({ entry, remove: fc.boolean(), flow, other: flow })

test('lookup finds what a search through all rules finds, while rules come and go', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const table = new Classifier(7)
      let twin: Entry[] = []
      for (const s of steps) {
        const e = makeEntry(s.entry)
        const old = twin.find((t) => t.rule.priority === e.rule.priority && equalMatch(t.match, e.match))
        expect(table.find(e.match, e.rule.priority)).toBe(old?.rule)
        if (s.remove) {
          if (old !== undefined) table.remove(old.rule)
          twin = twin.filter((t) => t !== old)
        } else {
          if (old !== undefined) table.replace(old.rule, e.rule)
          else table.insert(e.match, e.rule)
          twin = [...twin.filter((t) => t !== old), e]
          expect(equalMatch(e.rule.match, e.match)).toBe(true)
        }
        expect(table.size).toBe(twin.length)
        expect(new Set(table.rules())).toEqual(new Set(twin.map((t) => t.rule)))
        const found = table.lookup(s.flow, new Uint32Array(FLOW_WORDS))
        expect(answers(twin, s.flow).map((r) => r?.id)).toContain(found?.id)
      }
    }),
    { numRuns: 500 },
  )
})

test('any packet that agrees in the bits looked at gets the same rule', () => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 16 }), flow, flow, (entries, a, b) => {
      const table = new Classifier(7)
      for (const e of entries.map(makeEntry)) {
        if (table.find(e.match, e.rule.priority) === undefined) table.insert(e.match, e.rule)
      }
      const wc = new Uint32Array(FLOW_WORDS)
      const found = table.lookup(a, wc)
      const alike = a.map((word, i) => ((word & wc[i]) | (b[i] & ~wc[i])) >>> 0)
      expect(table.lookup(alike, new Uint32Array(FLOW_WORDS))).toBe(found)
    }),
    { numRuns: 3000 },
  )
})

/** Rules of few masks and one priority, so that subtables have many and none stands elsewhere. */
const crowdedMasks: (readonly [word: number, mask: number])[][] = [
  [
    [W_TYPE, 0xffff_0000],
    [W_NW_SRC, 0xffff_0000],
  ],
  [
    [W_TYPE, 0xffff_0000],
    [W_NW_DST, 0xffff_ffff],
    [W_TP, 0xffff],
  ],
  [
    [W_IN_PORT, 0xffff_ffff],
    [W_NW_SRC, 0xffff_ffff],
    [W_TP, 0xff00_0000],
  ],
  [
    [W_IPV6_DST, 0xffff_ffff],
    [W_IPV6_DST + 1, 0xc000_0000],
  ],
]
const crowded = fc.record({ mask: fc.constantFrom(...crowdedMasks), flow }).map((c) => {
  const m = emptyMatch()
  for (const [w, mask] of c.mask) {
    m.mask[w] = mask
    m.value[w] = c.flow[w] & mask
  }
  return { match: m, priority: 1, actions: [] as OfAction[], conjId: 0 }
})

test.each([
  ['of all kinds', entry],
  ['in a crowd', crowded],
])(
  'a rule %s that changes an answer shares a footprint with the lookup, or says that it stands elsewhere',
  (_, kind) => {
    let changed = 0
    fc.assert(
      fc.property(
        fc.array(kind, { maxLength: 20 }),
        kind,
        fc.array(flow, { maxLength: 30 }),
        (entries, last, flows) => {
          const table = new Classifier(7)
          for (const e of entries.map(makeEntry)) {
            if (table.find(e.match, e.rule.priority) === undefined) table.insert(e.match, e.rule)
          }
          const before = flows.map((f) => {
            const prints = new Footprints()
            const wc = new Uint32Array(FLOW_WORDS)
            const rule = table.lookup(f, wc, prints)
            return { rule, prints: new Set(prints.hashes.subarray(0, prints.count)), f, wc }
          })
          const e = makeEntry(last)
          if (table.find(e.match, e.rule.priority) !== undefined) return
          const elsewhere = table.insert(e.match, e.rule)
          const prints = new Footprints()
          e.rule.subtable!.footprints(e.rule.row, prints)
          const mine = prints.hashes.subarray(0, prints.count)
          for (const { rule, prints: left, f } of before) {
            if (table.lookup(f, new Uint32Array(FLOW_WORDS)) === rule) continue
            changed++
            expect(elsewhere || mine.some((p) => left.has(p))).toBe(true)
          }
          // Removed again, whoever used it is known by the rule's own footprint.
          for (const { f } of before) {
            const used = new Footprints()
            const rule = table.lookup(f, new Uint32Array(FLOW_WORDS), used)
            if (rule !== e.rule) continue
            const own = new Footprints()
            own.addRule(e.rule.id)
            expect([...used.hashes.subarray(0, used.count)]).toContain(own.hashes[0])
          }
        },
      ),
      { numRuns: 3000 },
    )
    expect(changed).toBeGreaterThan(200)
  },
)

test('bits already looked at stay noted', () => {
  const table = new Classifier(1)
  const rule = new Rule({ tableId: 0, priority: 0, actions: [] }, 0)
  table.insert(emptyMatch(), rule)
  const wc = new Uint32Array(FLOW_WORDS)
  wc[W_TP] = 0xffff
  expect(table.lookup(new Uint32Array(FLOW_WORDS), wc)).toBe(rule)
  expect(wc[W_TP]).toBe(0xffff)
})
