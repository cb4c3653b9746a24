/** Requests for rules, what each of them is and has counted, and aggregates of them. */

import type { OfAction } from './action.ts'
import type { Match } from './match.ts'

/** Of flow statistics and aggregate statistics. */
export interface FlowStatsRequest {
  match: Match
  /** OFPTT_ALL for all. */
  table: number
  /** OFPP_ANY for any. */
  outPort: number
  /** OFPG_ANY for any. */
  outGroup: number
  cookie: bigint
  cookieMask: bigint
}

export interface FlowStats {
  match: Match
  cookie: bigint
  table: number
  priority: number
  idleTimeout: number
  hardTimeout: number
  importance: number
  /** Since the rule was installed. */
  durationSec: number
  durationNsec: number
  /** Seconds since the last packet, undefined where the version does not tell (all but NXST_FLOW). */
  idleAge: number | undefined
  /** Seconds since the last modification; likewise. */
  hardAge: number | undefined
  /** Undefined: not counted. */
  packetCount: number | undefined
  byteCount: number | undefined
  /** FF_* */
  flags: number
  actions: readonly OfAction[]
}

export interface AggregateStats {
  packetCount: number | undefined
  byteCount: number | undefined
  flowCount: number
}
