/** Groups that lead to groups: to themselves they must not (OpenFlow 1.3.5 §6.4, OFPGMFC_LOOP). */
import type { OfAction } from '../../protocols/openflow/action.ts'
import type { GroupBucket } from '../../protocols/openflow/group.ts'

/** Groups that buckets send packets to. */
function groupsOf(buckets: readonly GroupBucket[]): number[] {
  const found: number[] = []
  const walk = (actions: readonly OfAction[]): void => {
    for (const action of actions) {
      if (action.type === 'group') found.push(action.group)
      else if (action.type === 'clone' || action.type === 'write_actions') walk(action.actions)
    }
  }
  for (const { actions } of buckets) walk(actions)
  return found
}

/**
 * Whether a group of these buckets would lead to itself, by way of any others.
 * @param bucketsOf those of a group that is there
 */
export function leadsToItself(
  group: number,
  buckets: readonly GroupBucket[],
  bucketsOf: (group: number) => readonly GroupBucket[],
): boolean {
  const seen = new Set<number>()
  const pending = groupsOf(buckets)
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next === group) return true
    if (seen.has(next)) continue
    seen.add(next)
    pending.push(...groupsOf(bucketsOf(next)))
  }
  return false
}
