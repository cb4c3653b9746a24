/**
 * Changes of rules and groups that happen together or not at all: a flow-mod, or what a bundle holds. Nothing else
 * runs between the first change and the last, so that packets see all of them at once; and nobody is told of
 * removals before it is certain that they stand.
 */
import type { FlowRemovedReason } from '../../protocols/openflow/flow-removed.ts'
import type { Match } from '../../protocols/openflow/match.ts'
import { type MiniMatch, wholeMatch } from '../classifier/mini-match.ts'
import { deleteLearned } from './delete-learned.ts'
import { type FlowChange, sameActions } from './flow-monitor.ts'
import type { FlowTables } from './flow-tables.ts'
import type { Group, GroupChange, GroupTable } from './group-table.ts'
import type { Rule, RuleState } from './rule.ts'

/** What flow monitors are told of a change once it stands. */
type News = FlowChange | undefined

type Change =
  | { readonly type: 'added'; readonly rule: Rule; readonly news: News }
  | { readonly type: 'replaced'; readonly old: Rule; readonly rule: Rule; readonly news: News }
  | { readonly type: 'modified'; readonly rule: Rule; readonly before: RuleState; readonly news: News }
  | {
      readonly type: 'removed'
      readonly rule: Rule
      readonly match: MiniMatch
      readonly reason: FlowRemovedReason
      readonly mod: number
    }
  | {
      readonly type: 'group'
      readonly groups: GroupTable
      readonly id: number
      readonly before: Group | undefined
    }

export class Bundle {
  readonly #tables: FlowTables
  readonly #origin: number
  readonly #changes: Change[] = []
  /** Which flow-mod is being carried out. */
  mod = 0

  /** @param origin who asked for the changes, by the number that flow monitors know them by; 0 for nobody */
  constructor(tables: FlowTables, origin = 0) {
    this.#tables = tables
    this.#origin = origin
  }

  add(match: Match, rule: Rule): void {
    this.#tables.add(match, rule)
    const news = this.#tables.monitors?.changed(rule, 'added', this.mod)
    this.#changes.push({ type: 'added', rule, news })
  }

  /** Puts a rule in the place of one of the same match and priority, with its counters if `keepCounts`. */
  replace(old: Rule, rule: Rule, keepCounts: boolean): void {
    this.#tables.replace(old, rule)
    if (keepCounts) {
      rule.packets = old.packets
      rule.bytes = old.bytes
      rule.used = old.used
    }
    const news = this.#tables.monitors?.changed(rule, 'added', this.mod, old.actions)
    this.#changes.push({ type: 'replaced', old, rule, news })
  }

  /** Changes what a rule does; `state` is made after the rule's counters have been brought up to date. */
  modify(rule: Rule, state: (rule: Rule) => RuleState): void {
    this.#tables.table(rule.tableId).changed(rule)
    const { actions, conjunctions, cookie, modified, packets, bytes, used } = rule
    const before = { actions, conjunctions, cookie, modified, packets, bytes, used }
    this.#tables.assign(rule, state(rule))
    this.#changes.push({ type: 'modified', rule, before, news: this.#modified(rule, before) })
  }

  remove(rule: Rule, reason: FlowRemovedReason): void {
    const match = rule.miniMatch
    this.#tables.remove(rule)
    this.#changes.push({ type: 'removed', rule, match, reason, mod: this.mod })
  }

  /** Puts a group in its place, or takes it away. */
  setGroup(groups: GroupTable, { id, group }: GroupChange): void {
    this.#changes.push({ type: 'group', groups, id, before: groups.get(id) })
    groups.set(id, group)
  }

  /** The changes stand: whoever wants to know of removals is told. */
  commit(): void {
    const { monitors } = this.#tables
    monitors?.hold(this.#origin)
    for (const change of this.#changes) {
      if (change.type === 'group') continue
      if (change.type !== 'removed') {
        monitors?.tell(change.news)
        if (change.type === 'replaced') deleteLearned(this.#tables, change.old.actions)
        else if (change.type === 'modified') deleteLearned(this.#tables, change.before.actions)
      } else this.#tables.removed(change.rule, change.match, change.reason, change.mod)
    }
    monitors?.release()
    this.#changes.length = 0
    this.#tables.checkVacancy()
  }

  /** Takes back what was done after the first `kept` changes. */
  rollback(kept = 0): void {
    while (this.#changes.length > kept) {
      const change = this.#changes.pop()!
      switch (change.type) {
        case 'added':
          this.#tables.remove(change.rule)
          break
        case 'replaced':
          this.#tables.replace(change.rule, change.old)
          break
        case 'modified':
          this.#tables.table(change.rule.tableId).changed(change.rule)
          this.#tables.assign(change.rule, change.before)
          break
        case 'removed':
          this.#tables.add(wholeMatch(change.match), change.rule)
          break
        case 'group':
          change.groups.set(change.id, change.before)
      }
    }
  }

  /** Who watches hears of a modification only if it is one. */
  #modified(rule: Rule, { actions, cookie }: RuleState): News {
    const { monitors } = this.#tables
    if (monitors === undefined) return undefined
    const same = sameActions(actions, rule.actions)
    if (same && cookie === rule.cookie) return undefined
    return monitors.changed(rule, 'modified', this.mod, same ? undefined : actions)
  }

  /** Changes so far; a mark for `rollback`. */
  get length(): number {
    return this.#changes.length
  }
}
