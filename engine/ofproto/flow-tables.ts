/**
 * All flow tables of a bridge: 255, of which clients may use 254. A table comes into being when it is first
 * used.
 */
import type { FlowRemovedReason } from '../../protocols/openflow/flow-removed.ts'
import { emptyMatch, type Match } from '../../protocols/openflow/match.ts'
import { OFPP_NORMAL } from '../../protocols/openflow/port.ts'
import { type Instant, SECOND } from '../../protocols/time.ts'
import { type MiniMatch, wholeMatch } from '../classifier/mini-match.ts'
import type { ActionTargets } from './action-targets.ts'
import { deleteLearned } from './delete-learned.ts'
import type { FlowMonitors } from './flow-monitor.ts'
import { FlowTable, type FlowTableListener } from './flow-table.ts'
import { Rule, type RuleState } from './rule.ts'
import { TABLE_COUNT, TABLE_INTERNAL } from './table-numbers.ts'
import { TargetUses } from './target-uses.ts'
import { TlvTable } from './tlv-table.ts'
import { vacancyEvent } from './vacancy.ts'

export interface FlowTablesListener extends FlowTableListener {
  /** A rule is gone and its counters are final. Called when the change it is part of is done. */
  ruleRemoved(bridge: number, rule: Rule, match: MiniMatch, reason: FlowRemovedReason): void
  /** A table that is to say so has become too full, or no longer is. */
  vacancyChanged(bridge: number, table: FlowTable, reason: 'vacancy_down' | 'vacancy_up'): void
}

export class FlowTables {
  readonly #bridge: number
  readonly #seed: number
  readonly #listener: FlowTablesListener
  readonly #tables: (FlowTable | undefined)[] = new Array(TABLE_COUNT).fill(undefined)
  #used: readonly FlowTable[] = []
  /** Tunnel options that rules may name. */
  readonly tlv = new TlvTable()
  /** Who watches the rules; undefined while nobody does. */
  monitors: FlowMonitors | undefined
  /** What rules may name; undefined: anything. */
  targets: ActionTargets | undefined
  /** Which rules name which groups and meters. */
  readonly uses = new TargetUses()
  /** Rules with a timeout, in no order. */
  readonly #expirable: Rule[] = []

  constructor(bridge: number, seed: number, listener: FlowTablesListener) {
    this.#bridge = bridge
    this.#seed = seed
    this.#listener = listener
  }

  /** Table 0 to 254. */
  table(id: number): FlowTable {
    const table = this.#tables[id]
    if (table !== undefined) return table
    const made = new FlowTable(this.#bridge, id, this.#seed, this.#listener)
    this.#tables[id] = made
    this.#used = this.#tables.filter((t) => t !== undefined)
    return made
  }

  /** The tables that have come into being, in order. */
  used(): readonly FlowTable[] {
    return this.#used
  }

  /** Rules in all tables. */
  get size(): number {
    let n = 0
    for (const table of this.used()) n += table.classifier.size
    return n
  }

  add(match: Match, rule: Rule): void {
    this.table(rule.tableId).add(match, rule)
    this.uses.add(rule)
    this.#watch(rule)
  }

  replace(old: Rule, rule: Rule): void {
    this.table(rule.tableId).replace(old, rule)
    this.uses.remove(old)
    this.uses.add(rule)
    this.#unwatch(old)
    this.#watch(rule)
  }

  /** Takes a rule out, without telling anybody. */
  remove(rule: Rule): void {
    this.#unwatch(rule)
    this.uses.remove(rule)
    this.table(rule.tableId).remove(rule)
  }

  /** Changes what a rule does. Flows that it made have been credited and end here. */
  assign(rule: Rule, state: RuleState): void {
    this.uses.remove(rule)
    Object.assign(rule, state)
    this.uses.add(rule)
  }

  /**
   * Tells that a rule has gone for good.
   * @param mod which flow-mod of a list did it; -1 for none
   */
  removed(rule: Rule, match: MiniMatch, reason: FlowRemovedReason, mod = -1): void {
    this.monitors?.removed(rule, wholeMatch(match), reason, mod)
    this.#listener.ruleRemoved(this.#bridge, rule, match, reason)
    deleteLearned(this, rule.actions)
  }

  /** Tells of tables that have become too full, or no longer are. */
  checkVacancy(): void {
    for (const table of this.used()) {
      const event = vacancyEvent(table)
      if (event !== undefined) this.#listener.vacancyChanged(this.#bridge, table, event)
    }
  }

  /** Evicts rules of a table with more of them than it may have, if it evicts. */
  makeRoom(table: FlowTable): void {
    const { maxFlows } = table.config
    while (table.evicts && maxFlows !== undefined && table.classifier.size > maxFlows) {
      const victim = this.victim(table)
      if (victim === undefined) return
      const match = victim.miniMatch
      this.remove(victim)
      this.removed(victim, match, 'eviction')
    }
  }

  /** Gives a rule other timeouts, as fin_timeout does. */
  setTimeouts(rule: Rule, idleTimeout: number, hardTimeout: number): void {
    this.#unwatch(rule)
    rule.idleTimeout = idleTimeout
    rule.hardTimeout = hardTimeout
    this.#watch(rule)
  }

  /** Removes rules whose time has come. Flows have been credited just before. */
  expire(now: Instant): void {
    for (let i = this.#expirable.length - 1; i >= 0; i--) {
      const rule = this.#expirable[i]
      const hard = rule.hardTimeout > 0 && now > rule.modified + rule.hardTimeout * SECOND
      const idle = rule.idleTimeout > 0 && now > rule.used + rule.idleTimeout * SECOND
      if (!hard && !idle) continue
      const match = rule.miniMatch
      this.remove(rule)
      this.removed(rule, match, hard ? 'hard_timeout' : 'idle_timeout')
    }
    this.checkVacancy()
  }

  /** The rule that is to make room: one that would end some day. */
  victim(table: FlowTable): Rule | undefined {
    return table.config.groups.victim(this.#expirable.filter((rule) => rule.tableId === table.id))
  }

  /** Removes every rule of the tables that clients may use. */
  flush(): void {
    for (const table of this.used()) {
      if (table.id === TABLE_INTERNAL) continue
      for (const rule of [...table.classifier.rules()]) {
        const match = rule.miniMatch
        this.remove(rule)
        this.removed(rule, match, 'delete')
      }
    }
  }

  /** Adds the one rule of a bridge that nobody programs: be a learning switch. */
  addNormal(now: Instant): void {
    const actions = [{ type: 'output', port: OFPP_NORMAL, maxLen: 0 }] as const
    const rule = new Rule({ tableId: 0, priority: 0, actions }, now)
    const old = this.table(0).classifier.find(emptyMatch(), 0)
    if (old === undefined) this.add(emptyMatch(), rule)
    else this.replace(old, rule)
  }

  #watch(rule: Rule): void {
    if (rule.idleTimeout === 0 && rule.hardTimeout === 0) return
    rule.expiryIndex = this.#expirable.length
    this.#expirable.push(rule)
  }

  #unwatch(rule: Rule): void {
    const at = rule.expiryIndex
    if (at < 0) return
    const last = this.#expirable.pop()!
    if (last !== rule) {
      this.#expirable[at] = last
      last.expiryIndex = at
    }
    rule.expiryIndex = -1
  }
}
