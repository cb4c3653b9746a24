/** The order in which dump-flows lists, by --sort and --rsort. */

import { fieldByName } from '../../protocols/meta-flow.ts'
import type { FlowStats } from '../../protocols/openflow/flow-stats.ts'
import { getMatchField, isZero } from '../../protocols/openflow/match-field.ts'
import type { SortCriterion } from './context.ts'

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

function compareBy({ field: name, descending }: SortCriterion, a: FlowStats, b: FlowStats): number {
  const sign = descending ? -1 : 1
  if (name === '' || name === 'priority') return sign * (a.priority - b.priority)
  const field = fieldByName(name)!
  const [x, y] = [getMatchField(a.match, field), getMatchField(b.match, field)]
  const [noX, noY] = [isZero(x.mask), isZero(y.mask)]
  // Flows that leave the field open come last in either direction.
  if (noX || noY) return Number(noX) - Number(noY)
  return sign * compareBytes(x.value, y.value)
}

/** Flows that compare equal stay in the order the switch told them. The fields must exist. */
export function sortFlows(
  flows: readonly FlowStats[],
  criteria: readonly SortCriterion[],
): readonly FlowStats[] {
  if (criteria.length === 0) return flows
  return [...flows].sort((a, b) => {
    for (const criterion of criteria) {
      const order = compareBy(criterion, a, b)
      if (order !== 0) return order
    }
    return 0
  })
}
