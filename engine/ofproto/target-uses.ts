/** Which rules name which groups and meters, so that those need not be looked for among all when one goes. */
import type { OfAction } from '../../protocols/openflow/action.ts'
import { nestedActions } from '../../protocols/openflow/nested-actions.ts'
import type { Rule } from './rule.ts'

export class TargetUses {
  readonly #groups = new Map<number, Set<Rule>>()
  readonly #meters = new Map<number, Set<Rule>>()

  /** A rule is in a table now, or does something else. */
  add(rule: Rule): void {
    this.#each(rule.actions, rule, true)
  }

  /** It no longer is, or is about to do something else. */
  remove(rule: Rule): void {
    this.#each(rule.actions, rule, false)
  }

  /** The rules that name a group, in no order. */
  ofGroup(id: number): readonly Rule[] {
    return [...(this.#groups.get(id) ?? [])]
  }

  ofMeter(id: number): readonly Rule[] {
    return [...(this.#meters.get(id) ?? [])]
  }

  #each(actions: readonly OfAction[], rule: Rule, named: boolean): void {
    for (let i = 0; i < actions.length; i++) {
      const action = actions[i]
      if (action.type === 'group') note(this.#groups, action.group, rule, named)
      else if (action.type === 'meter') note(this.#meters, action.meter, rule, named)
      else {
        const within = nestedActions(action)
        if (within !== undefined) this.#each(within, rule, named)
      }
    }
  }
}

function note(uses: Map<number, Set<Rule>>, id: number, rule: Rule, named: boolean): void {
  const rules = uses.get(id)
  if (named) {
    if (rules === undefined) uses.set(id, new Set([rule]))
    else rules.add(rule)
  } else if (rules?.delete(rule) === true && rules.size === 0) uses.delete(id)
}
