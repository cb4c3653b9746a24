/**
 * One flow table of a bridge: its rules, its counters and its settings. Every change goes through here, because
 * every change ends the cached flows that it concerns, before anything else happens: what they have counted so
 * far is then known, and no packet follows an outdated decision.
 */
import { emptyMatch, type Match } from '../../protocols/openflow/match.ts'
import type { TableMiss } from '../../protocols/openflow/table-miss.ts'
import { Classifier } from '../classifier/classifier.ts'
import { Footprints } from '../classifier/footprints.ts'
import { EvictionGroups } from './eviction-groups.ts'
import { PacketCounter } from './packet-counter.ts'
import type { Rule } from './rule.ts'
import { TAG_RULES, TAG_TABLE, TAG_TABLE_CHANGE, tagOf } from './tags.ts'

/** Who keeps the cached flows. */
export interface FlowTableListener {
  /** Rules changed: flows under this tag that packets of `match` may belong to are not to be used again. */
  rulesChanged(tag: number, match: Match): void
}

/** What a table does when it is full (OFPTC_EVICTION), and when it warns (OFPTC_VACANCY_EVENTS). */
export interface FlowTableConfig {
  /** Rules at the most; undefined for no limit. */
  readonly maxFlows: number | undefined
  /** Others make room for a rule: because OpenFlow wants it, or because `flowTablePut` does. */
  readonly eviction: boolean
  readonly overflowEvicts: boolean
  readonly groups: EvictionGroups
  /** OpenFlow 1.1 and 1.2: what becomes of packets that match no rule. */
  readonly miss: TableMiss
  /** Percentages of free space at which events are sent; undefined for no events. */
  readonly vacancy: { readonly down: number; readonly up: number } | undefined
  readonly name: string
  /** By `flowTablePut`, so that OpenFlow may not change it. */
  readonly nameIsGiven: boolean
}

export const DEFAULT_TABLE_CONFIG: FlowTableConfig = {
  maxFlows: undefined,
  eviction: false,
  overflowEvicts: false,
  groups: new EvictionGroups([]),
  miss: 'default',
  vacancy: undefined,
  name: '',
  nameIsGiven: false,
}

/** Bridges' indices and table numbers in one number, for tags. */
function tableKey(bridge: number, table: number): number {
  return bridge * 256 + table
}

const prints = new Footprints()

export class FlowTable {
  readonly id: number
  config = DEFAULT_TABLE_CONFIG
  /** Of two kinds of vacancy events the one that comes next. */
  awaitedVacancy: 'vacancy_down' | 'vacancy_up' = 'vacancy_down'
  readonly classifier: Classifier
  /** Packets that found a rule, and packets that found none. */
  readonly matched = new PacketCounter()
  readonly missed = new PacketCounter()
  /** Whoever looked anything up here has this tag. */
  readonly tag: number
  /** Whoever depends on every change of the rules has this one. */
  readonly changeTag: number
  readonly #key: number
  readonly #listener: FlowTableListener

  constructor(bridge: number, id: number, seed: number, listener: FlowTableListener) {
    this.id = id
    this.classifier = new Classifier(seed)
    this.#key = tableKey(bridge, id)
    this.tag = tagOf(TAG_TABLE, this.#key, 0, 0)
    this.changeTag = tagOf(TAG_TABLE_CHANGE, this.#key, 0, 0)
    this.#listener = listener
  }

  /** The tag of a footprint (see classifier/footprints.ts) in this table. */
  tagOfFootprint(print: number): number {
    return tagOf(TAG_RULES, this.#key, print, 0)
  }

  get full(): boolean {
    const { maxFlows } = this.config
    return maxFlows !== undefined && this.classifier.size >= maxFlows
  }

  get evicts(): boolean {
    return this.config.eviction || this.config.overflowEvicts
  }

  /** Adds a rule; there is none of its match and priority. */
  add(match: Match, rule: Rule): void {
    const elsewhere = this.classifier.insert(match, rule)
    prints.clear()
    rule.subtable!.footprints(rule.row, prints)
    for (let i = 0; i < prints.count; i++) {
      this.#listener.rulesChanged(this.tagOfFootprint(prints.hashes[i]), match)
    }
    this.#listener.rulesChanged(elsewhere ? this.tag : this.changeTag, match)
  }

  /** Puts a rule in the place of one of the same match and priority. */
  replace(old: Rule, rule: Rule): void {
    this.changed(old)
    this.classifier.replace(old, rule)
  }

  remove(rule: Rule): void {
    this.changed(rule)
    this.classifier.remove(rule)
  }

  /** What a rule does is about to change: what it has done so far is counted, and done no more. */
  changed(rule: Rule): void {
    const match = rule.subtable!.borrowMatch(rule.row)
    prints.clear()
    prints.addRule(rule.id)
    this.#listener.rulesChanged(this.tagOfFootprint(prints.hashes[0]), match)
    this.#listener.rulesChanged(this.changeTag, match)
  }

  /** What becomes of packets that no rule matches is to be decided anew. */
  missChanged(): void {
    this.#listener.rulesChanged(this.tag, emptyMatch())
  }
}
