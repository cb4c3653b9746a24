import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Rule } from '../../../engine/ofproto/rule.ts'
import { TargetUses } from '../../../engine/ofproto/target-uses.ts'
import type { OfAction } from '../../../protocols/openflow/action.ts'
import { anyAction } from '../../../protocols/openflow/nested-actions.ts'

const action: fc.Arbitrary<OfAction> = fc.oneof(
  fc.integer({ min: 1, max: 3 }).map((group) => ({ type: 'group', group }) as const),
  fc.integer({ min: 1, max: 3 }).map((meter) => ({ type: 'meter', meter }) as const),
  fc.constant({ type: 'output', port: 1, maxLen: 0 } as const),
)
const actions = fc.array(
  fc.oneof(
    action,
    fc.array(action).map((within) => ({ type: 'clone', actions: within }) as OfAction),
  ),
)

test('who names what is known as by looking at all', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(actions, actions, fc.boolean())), (rows) => {
      const uses = new TargetUses()
      const rules = rows.flatMap(([before, after, stays]) => {
        const rule = new Rule({ tableId: 0, priority: 0, actions: before }, 0)
        uses.add(rule)
        uses.remove(rule)
        if (!stays) return []
        rule.actions = after
        uses.add(rule)
        return [rule]
      })
      for (const id of [1, 2, 3]) {
        const naming = (wanted: (a: OfAction) => boolean) => rules.filter((r) => anyAction(r.actions, wanted))
        expect(uses.ofGroup(id)).toEqual(naming((a) => a.type === 'group' && a.group === id))
        expect(uses.ofMeter(id)).toEqual(naming((a) => a.type === 'meter' && a.meter === id))
      }
    }),
  )
})
