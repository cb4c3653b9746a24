/** Groups and meters that actions name: a flow or a packet-out that names one that is not there is refused. */
import type { OfAction } from '../../protocols/openflow/action.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import { nestedActions } from '../../protocols/openflow/nested-actions.ts'

/** What a bridge has of them. */
export interface ActionTargets {
  groupExists(id: number): boolean
  meterExists(id: number): boolean
}

/**
 * The error for the first action that leads nowhere, by the names that Open vSwitch gives. A group's buckets are
 * not asked (there is no order in which groups must be made), nor is the meter of a controller action.
 */
export function targetRefusal(
  actions: readonly OfAction[],
  targets: ActionTargets | undefined,
): OfErrorName | undefined {
  if (targets === undefined) return undefined
  for (const action of actions) {
    if (action.type === 'meter' && !targets.meterExists(action.meter)) return 'OFPMMFC_INVALID_METER'
    if (action.type === 'group' && !targets.groupExists(action.group)) return 'OFPBAC_BAD_OUT_GROUP'
    const within = nestedActions(action)
    const refusal = within === undefined ? undefined : targetRefusal(within, targets)
    if (refusal !== undefined) return refusal
  }
  return undefined
}
