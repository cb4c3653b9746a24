/**
 * Flow monitors: who wants to know which changes of rules. A bridge that nobody watches has no such object, and
 * then a change costs nothing more.
 */

import type { OfAction } from '../../protocols/openflow/action.ts'
import type { FlowRemovedReason } from '../../protocols/openflow/flow-removed.ts'
import type { FlowStatsRequest } from '../../protocols/openflow/flow-stats.ts'
import { includesMatch, type Match } from '../../protocols/openflow/match.ts'
import { FMF_ADD, FMF_MODIFY, FMF_REMOVED } from '../../protocols/openflow/monitor.ts'
import { passesFilter, selectRules } from './flow-dump.ts'
import type { FlowTables } from './flow-tables.ts'
import type { Rule } from './rule.ts'
import { TABLE_INTERNAL } from './table-numbers.ts'
import type { TlvTable } from './tlv-table.ts'

/** OFPTT_ALL */
const ALL_TABLES = 0xff

export interface FlowMonitorSpec extends FlowStatsRequest {
  /** Its number, chosen by who asks. */
  readonly id: number
  /** FMF_ADD, FMF_MODIFY and FMF_REMOVED. */
  readonly events: number
}

/** A rule as monitors report it. */
export interface MonitoredFlow {
  readonly table: number
  readonly priority: number
  readonly cookie: bigint
  readonly idleTimeout: number
  readonly hardTimeout: number
  readonly match: Match
  readonly actions: readonly OfAction[]
  /** When it came to be; on the scale of `sequence`. */
  readonly added: number
}

export interface FlowChange {
  readonly event: 'initial' | 'added' | 'modified' | 'deleted'
  readonly reason: FlowRemovedReason | undefined
  /** Ids of the monitors that want to know. */
  readonly monitors: readonly number[]
  /** Which flow-mod of a list did it; -1 for none. */
  readonly mod: number
  readonly flow: MonitoredFlow
}

/** Changes that happened together. */
export interface FlowChanges {
  /** What `flowMod` was told about who asked for it; 0 for nobody. */
  readonly origin: number
  /** Of two events the later has the higher number; rules that are added afterwards have higher ones still. */
  readonly sequence: number
  readonly changes: readonly FlowChange[]
}

/** What `snapshot` tells of a list of monitors. */
export interface FlowSnapshot {
  readonly rows: FlowChange[]
  readonly next: number | undefined
  readonly sequence: number
}

type Watched = Pick<Rule, 'tableId' | 'cookie' | 'actions'>

/** Counts changes; goes on where it was when somebody watches again. */
let sequence = 1

export class FlowMonitors {
  readonly #specs = new Map<number, FlowMonitorSpec>()
  readonly #tlv: TlvTable
  readonly #report: (changes: FlowChanges) => void
  #held: { origin: number; changes: FlowChange[] } | undefined

  constructor(tlv: TlvTable, report: (changes: FlowChanges) => void) {
    this.#tlv = tlv
    this.#report = report
  }

  get size(): number {
    return this.#specs.size
  }

  put(spec: FlowMonitorSpec): void {
    this.#specs.set(spec.id, spec)
  }

  delete(id: number): void {
    this.#specs.delete(id)
  }

  get sequence(): number {
    return sequence
  }

  /** A rule has been added, put in the place of another, or changed; `old` tells what it did before. */
  changed(
    rule: Rule,
    event: 'added' | 'modified',
    mod: number,
    old?: Rule['actions'],
  ): FlowChange | undefined {
    rule.changeSequence = ++sequence
    if (event === 'added') rule.addSequence = rule.changeSequence
    return this.#describe(rule, rule.match, { event, reason: undefined, mod }, old)
  }

  removed(rule: Rule, match: Match, reason: FlowRemovedReason, mod: number): void {
    sequence++
    this.tell(this.#describe(rule, match, { event: 'deleted', reason, mod }))
  }

  /** Reports a change, at once or when `release` ends what `hold` has begun. */
  tell(change: FlowChange | undefined): void {
    if (change === undefined) return
    if (this.#held !== undefined) this.#held.changes.push(change)
    else this.#report({ origin: 0, sequence: sequence, changes: [change] })
  }

  hold(origin: number): void {
    this.#held = { origin, changes: [] }
  }

  release(): void {
    const held = this.#held
    this.#held = undefined
    if (held === undefined || held.changes.length === 0) return
    this.#report({ ...held, sequence: sequence })
  }

  /** The rules that any of some monitors is about, in order of tables. */
  rules(tables: FlowTables, ids: readonly number[]): Rule[] {
    const specs = this.#named(ids)
    if (specs.length === 1) return selectRules(tables, specs[0])
    return [...new Set(specs.flatMap((spec) => selectRules(tables, spec)))]
  }

  /**
   * What monitors are told of a rule that has changed after `since`; 0: of every rule, as it is at the
   * beginning.
   */
  describeSince(rule: Rule, ids: readonly number[], since: number): FlowChange | undefined {
    const { match } = rule
    let event: FlowChange['event'] = 'initial'
    let wanted = 0
    if (since > 0) {
      const added = rule.addSequence > since
      if (!added && rule.changeSequence <= since) return undefined
      event = added ? 'added' : 'modified'
      wanted = added ? FMF_ADD | FMF_MODIFY : FMF_MODIFY
    }
    const monitors = this.#named(ids)
      .filter((spec) => since === 0 || (spec.events & wanted) !== 0)
      .filter((spec) => isAbout(spec, rule, match))
      .map((spec) => spec.id)
    if (monitors.length === 0) return undefined
    return { event, reason: undefined, monitors, mod: -1, flow: flowOf(rule, this.#tlv.asOptions(match)) }
  }

  #named(ids: readonly number[]): FlowMonitorSpec[] {
    return ids.flatMap((id) => this.#specs.get(id) ?? [])
  }

  #describe(
    rule: Rule,
    match: Match,
    what: Pick<FlowChange, 'event' | 'reason' | 'mod'>,
    old?: Rule['actions'],
  ): FlowChange | undefined {
    if (rule.tableId === TABLE_INTERNAL) return undefined
    const wanted = what.event === 'added' ? FMF_ADD : what.event === 'deleted' ? FMF_REMOVED : FMF_MODIFY
    const { tableId, cookie } = rule
    const monitors: number[] = []
    for (const spec of this.#specs.values()) {
      if ((spec.events & wanted) === 0) continue
      // Who watches a port hears also that a rule no longer outputs to it.
      const was = old !== undefined && isAbout(spec, { tableId, cookie, actions: old }, match)
      if (was || isAbout(spec, rule, match)) monitors.push(spec.id)
    }
    return monitors.length === 0
      ? undefined
      : { ...what, monitors, flow: flowOf(rule, this.#tlv.asOptions(match)) }
  }
}

function isAbout(spec: FlowMonitorSpec, rule: Watched, match: Match): boolean {
  if (spec.table !== ALL_TABLES && spec.table !== rule.tableId) return false
  return passesFilter(rule, spec) && includesMatch(spec.match, match)
}

function flowOf(rule: Rule, match: Match): MonitoredFlow {
  const { tableId, priority, cookie, idleTimeout, hardTimeout, actions, addSequence } = rule
  return { table: tableId, priority, cookie, idleTimeout, hardTimeout, match, actions, added: addSequence }
}

/** Whether two lists of actions are the same. */
export function sameActions(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => sameActions(a[key as keyof typeof a], b[key as keyof typeof b]))
}
