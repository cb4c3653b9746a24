/**
 * Answers about rules. A dump is taken at once, as a list of rules, and read page by page; rules that go
 * meanwhile are left out.
 */
import type { OfAction } from '../../protocols/openflow/action.ts'
import { OFPG_ANY, OFPTT_ALL } from '../../protocols/openflow/flow-mod.ts'
import type { FlowRemoved, FlowRemovedReason } from '../../protocols/openflow/flow-removed.ts'
import type { AggregateStats, FlowStats, FlowStatsRequest } from '../../protocols/openflow/flow-stats.ts'
import type { Match } from '../../protocols/openflow/match.ts'
import { anyAction } from '../../protocols/openflow/nested-actions.ts'
import { OFPP_ANY, OFPP_CONTROLLER } from '../../protocols/openflow/port.ts'
import { type Instant, SECOND } from '../../protocols/time.ts'
import type { FlowTables } from './flow-tables.ts'
import type { Rule } from './rule.ts'
import { TABLE_INTERNAL } from './table-numbers.ts'

/** Dumps that may be under way at once; the oldest gives way. */
const MAX_DUMPS = 16
/** A dump and a place in it make one number. */
const PLACES = 2 ** 32

/** Which rules are asked about: those that `match` includes and that pass every filter. */
export interface FlowFilter extends FlowStatsRequest {
  /** Of this very match, no narrower one, and this priority; undefined for any. */
  readonly strictPriority?: number
}

export function flowStatsOf(rule: Rule, now: Instant): FlowStats {
  const { tableId, priority, cookie, actions, flags, importance, idleTimeout, hardTimeout } = rule
  return {
    match: rule.match,
    cookie,
    table: tableId,
    priority,
    idleTimeout,
    hardTimeout,
    importance,
    ...durationOf(rule, now),
    idleAge: Math.floor((now - rule.used) / SECOND),
    hardAge: Math.floor((now - rule.modified) / SECOND),
    packetCount: rule.packets,
    byteCount: rule.bytes,
    flags,
    actions,
  }
}

export function flowRemovedOf(
  rule: Rule,
  match: Match,
  reason: FlowRemovedReason,
  now: Instant,
): FlowRemoved {
  const { tableId, priority, cookie, idleTimeout, hardTimeout } = rule
  return {
    match,
    cookie,
    priority,
    reason,
    table: tableId,
    ...durationOf(rule, now),
    idleTimeout,
    hardTimeout,
    packetCount: rule.packets,
    byteCount: rule.bytes,
  }
}

function durationOf(rule: Rule, now: Instant): { durationSec: number; durationNsec: number } {
  const duration = now - rule.created
  const durationSec = Math.floor(duration / SECOND)
  return { durationSec, durationNsec: Math.round((duration - durationSec * SECOND) * 1e6) }
}

/** The rules that a filter lets through. */
export function selectRules(tables: FlowTables, filter: FlowFilter): Rule[] {
  const out: Rule[] = []
  for (const table of tables.used()) {
    if (filter.table === OFPTT_ALL ? table.id === TABLE_INTERNAL : table.id !== filter.table) continue
    if (filter.strictPriority !== undefined) {
      const rule = table.classifier.find(filter.match, filter.strictPriority)
      if (rule !== undefined && passesFilter(rule, filter)) out.push(rule)
    } else
      for (const rule of table.classifier.within(filter.match)) if (passesFilter(rule, filter)) out.push(rule)
  }
  return out
}

/** The rules of all tables of which some action, also one within another, is wanted. */
export function rulesWith(tables: FlowTables, wanted: (action: OfAction) => boolean): Rule[] {
  const out: Rule[] = []
  for (const { classifier } of tables.used()) {
    for (const rule of classifier.rules()) if (anyAction(rule.actions, wanted)) out.push(rule)
  }
  return out
}

/** Whether a rule has the cookie and the outputs that are asked about. */
export function passesFilter(
  rule: Pick<Rule, 'cookie' | 'actions'>,
  { cookie, cookieMask, outPort, outGroup }: FlowFilter,
): boolean {
  if (cookieMask !== 0n && ((rule.cookie ^ cookie) & cookieMask) !== 0n) return false
  if (outPort !== OFPP_ANY && !outputsTo(rule.actions, outPort)) return false
  return outGroup === OFPG_ANY || anyAction(rule.actions, (a) => a.type === 'group' && a.group === outGroup)
}

function outputsTo(actions: readonly OfAction[], port: number): boolean {
  return anyAction(actions, (a) => {
    switch (a.type) {
      case 'output':
      case 'output_trunc':
      case 'enqueue':
        return a.port === port
      default:
        return a.type === 'controller' && port === OFPP_CONTROLLER
    }
  })
}

export function aggregate(rules: readonly Rule[]): AggregateStats {
  let packetCount = 0
  let byteCount = 0
  for (const rule of rules) {
    packetCount += rule.packets
    byteCount += rule.bytes
  }
  return { packetCount, byteCount, flowCount: rules.length }
}

export class FlowDumps {
  readonly #dumps = new Map<number, Rule[]>()
  #nextId = 1

  /** Begins a dump; the place of its first row. */
  begin(rules: Rule[]): number {
    const id = this.#nextId++
    this.#dumps.set(id, rules)
    if (this.#dumps.size > MAX_DUMPS) this.#dumps.delete(this.#dumps.keys().next().value!)
    return id * PLACES
  }

  /**
   * Up to `count` rows from a place on, and the place of the next, undefined at the end.
   * @param describe makes the row of a rule, or undefined for none
   */
  read<Row>(
    from: number,
    count: number,
    describe: (rule: Rule) => Row | undefined,
  ): { rows: Row[]; next: number | undefined } {
    const id = Math.floor(from / PLACES)
    const rules = this.#dumps.get(id) ?? []
    const rows: Row[] = []
    let at = from % PLACES
    for (; at < rules.length && rows.length < count; at++) {
      const rule = rules[at]
      const row = rule.subtable === undefined ? undefined : describe(rule)
      if (row !== undefined) rows.push(row)
    }
    if (at < rules.length) return { rows, next: id * PLACES + at }
    this.#dumps.delete(id)
    return { rows, next: undefined }
  }
}
