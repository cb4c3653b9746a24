/**
 * A flow of a flow table: what OpenFlow calls a flow entry and Open vSwitch, inside, a rule. Its match lies in
 * the classifier, one row of the subtable of its mask, so that a million of them stay small.
 */
import type { ConjunctionAction, OfAction } from '../../protocols/openflow/action.ts'
import type { Match } from '../../protocols/openflow/match.ts'
import type { Instant } from '../../protocols/time.ts'
import { type MiniMatch, wholeMatch } from '../classifier/mini-match.ts'
import type { Subtable } from '../classifier/subtable.ts'
import { PacketCounter } from './packet-counter.ts'

/** What a rule is made of besides its match. */
export interface RuleSpec {
  readonly tableId: number
  /** 0 to 65,535. */
  readonly priority: number
  readonly actions: readonly OfAction[]
  readonly cookie?: bigint
  /** Seconds; 0 for never. */
  readonly idleTimeout?: number
  readonly hardTimeout?: number
  /** FF_* bits of protocols/openflow/flow-mod.ts. */
  readonly flags?: number
  readonly importance?: number
}

let nextId = 1

export class Rule extends PacketCounter {
  /** Never used again. */
  readonly id = nextId++
  readonly tableId: number
  readonly priority: number
  /** None: the packet is dropped. */
  actions: readonly OfAction[]
  /** The clauses of a rule that only does conjunction(); undefined for every other rule. */
  conjunctions: readonly ConjunctionAction[] | undefined
  cookie: bigint
  idleTimeout: number
  hardTimeout: number
  flags: number
  importance: number
  created: Instant
  /** When actions, timeouts or cookie were last set; the hard timeout runs from here. */
  modified: Instant
  /** Places among the changes that flow monitors hear of (flow-monitor.ts); 0: before anybody watched. */
  addSequence = 0
  changeSequence = 0
  /** Where its match lies; undefined while it is in no table. */
  subtable: Subtable | undefined
  row = -1
  /** The rule of the same match with the next lower priority. */
  lower: Rule | undefined
  /** Where it stands among the rules with a timeout, or -1. */
  expiryIndex = -1

  constructor(spec: RuleSpec, now: Instant) {
    super()
    this.tableId = spec.tableId
    this.priority = spec.priority
    this.actions = spec.actions
    this.conjunctions = conjunctionsOf(spec.actions)
    this.cookie = spec.cookie ?? 0n
    this.idleTimeout = spec.idleTimeout ?? 0
    this.hardTimeout = spec.hardTimeout ?? 0
    this.flags = spec.flags ?? 0
    this.importance = spec.importance ?? 0
    this.created = now
    this.modified = now
    this.used = now
  }

  /** A copy of the match, FLOW_WORDS words; of a rule that is in a table. */
  get match(): Match {
    return wholeMatch(this.miniMatch)
  }

  /** The same in few words; stays as it is when the rule goes. */
  get miniMatch(): MiniMatch {
    return this.subtable!.miniMatch(this.row)
  }
}

/** What a modification gives a rule, and what undoing it gives back. */
export type RuleState = Pick<
  Rule,
  'actions' | 'conjunctions' | 'cookie' | 'modified' | 'packets' | 'bytes' | 'used'
>

/** A rule with conjunction() does nothing else (notes aside), as ofpacts_verify has it in Open vSwitch. */
export function conjunctionsOf(actions: readonly OfAction[]): readonly ConjunctionAction[] | undefined {
  if (!actions.some((a) => a.type === 'conjunction')) return undefined
  return actions.filter((a) => a.type === 'conjunction')
}
