/**
 * learn(delete_learned), ovs-actions(7): what was learned into a table under a cookie goes when the last flow that
 * learns so is gone.
 */
import type { LearnAction, OfAction } from '../../protocols/openflow/action.ts'
import { anyAction } from '../../protocols/openflow/nested-actions.ts'
import { rulesWith } from './flow-dump.ts'
import type { FlowTables } from './flow-tables.ts'

/** @param actions what a rule did that is gone, or does other things now */
export function deleteLearned(tables: FlowTables, actions: readonly OfAction[]): void {
  anyAction(actions, (action) => {
    if (action.type === 'learn' && action.deleteLearned) forget(tables, action)
    return false
  })
}

function forget(tables: FlowTables, { table, cookie }: LearnAction): void {
  const learnsSo = (a: OfAction): boolean =>
    a.type === 'learn' && a.deleteLearned && a.table === table && a.cookie === cookie
  if (rulesWith(tables, learnsSo).length > 0) return
  const learned = [...tables.table(table).classifier.rules()].filter((rule) => rule.cookie === cookie)
  for (const rule of learned) {
    // One that has gone with another of these is in no table any more.
    if (rule.subtable === undefined) continue
    const match = rule.miniMatch
    tables.remove(rule)
    tables.removed(rule, match, 'delete')
  }
}
