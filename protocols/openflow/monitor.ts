/** Flow monitors: NXST_FLOW_MONITOR (1.0 to 1.2), ONFST (1.3) and OFPMP_FLOW_MONITOR (1.4 and later). */

import type { OfAction } from './action.ts'
import type { Match } from './match.ts'

/** OFPFMF14_* */
export const FMF_INITIAL = 1 << 0
export const FMF_ADD = 1 << 1
export const FMF_REMOVED = 1 << 2
export const FMF_MODIFY = 1 << 3
export const FMF_INSTRUCTIONS = 1 << 4
/** Report the monitoring controller's own changes in full too. */
export const FMF_NO_ABBREV = 1 << 5
/** Open vSwitch takes it for FMF_NO_ABBREV, which Nicira's NXFMF_OWN is, and so does ovs-ofctl, which always sets it. */
export const FMF_ONLY_OWN = 1 << 6

export interface FlowMonitorRequest {
  id: number
  command: 'add' | 'modify' | 'delete'
  /** FMF_* */
  flags: number
  /** OFPP_ANY for any. */
  outPort: number
  /** OFPG_ANY for any. */
  outGroup: number
  /** OFPTT_ALL for all. */
  table: number
  match: Match
}

export interface FlowMonitorCancel {
  id: number
}

/** What happened to a rule; `initial` ones are reported when the monitor begins (as `added` before 1.4). */
export interface FullFlowUpdate {
  event: 'added' | 'deleted' | 'modified' | 'initial'
  /** FLOW_REMOVED_REASONS; undefined unless deleted. */
  reason: number | undefined
  idleTimeout: number
  hardTimeout: number
  table: number
  priority: number
  cookie: bigint
  match: Match
  actions: readonly OfAction[]
}
/** The monitoring controller's own change, by its message's xid. */
export interface AbbreviatedFlowUpdate {
  event: 'abbrev'
  xid: number
}
/** OpenFlow 1.4 and later: reports stopped because the connection was slow, and go on. */
export interface PausedFlowUpdate {
  event: 'paused' | 'resumed'
}
export type FlowUpdate = FullFlowUpdate | AbbreviatedFlowUpdate | PausedFlowUpdate
