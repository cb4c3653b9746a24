/** Flow-removed: a rule with FF_SEND_FLOW_REM is gone. */

import type { Match } from './match.ts'

/** OFPRR_* in the order of their numbers; `eviction` in versions before 1.4 is a Nicira number. */
export const FLOW_REMOVED_REASONS = [
  'idle_timeout',
  'hard_timeout',
  'delete',
  'group_delete',
  'meter_delete',
  'eviction',
] as const
export type FlowRemovedReason = (typeof FLOW_REMOVED_REASONS)[number]

export interface FlowRemoved {
  match: Match
  cookie: bigint
  priority: number
  reason: FlowRemovedReason
  /** 0 where the version does not tell (1.0 without Nicira's form). */
  table: number
  durationSec: number
  durationNsec: number
  idleTimeout: number
  hardTimeout: number
  packetCount: number | undefined
  byteCount: number | undefined
}
