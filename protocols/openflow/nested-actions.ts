/** Lists of actions with those that stand within others: in an action set, a clone, a connection's exec. */
import type { OfAction } from './action.ts'

/** Whether some action, at whatever depth, is wanted. */
export function anyAction(actions: readonly OfAction[], wanted: (action: OfAction) => boolean): boolean {
  for (const action of actions) {
    if (wanted(action)) return true
    const within = nestedActions(action)
    if (within !== undefined && anyAction(within, wanted)) return true
  }
  return false
}

/** The actions that stand within one. */
export function nestedActions(action: OfAction): readonly OfAction[] | undefined {
  if (action.type === 'write_actions' || action.type === 'clone') return action.actions
  return action.type === 'ct' ? action.exec : undefined
}
