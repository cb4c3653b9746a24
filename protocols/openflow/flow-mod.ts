/**
 * Flow-mod: what adds, changes and removes rules; one neutral record for OpenFlow 1.0's and 1.1's messages and
 * NXT_FLOW_MOD.
 */

import type { OfAction } from './action.ts'
import type { Match } from './match.ts'

export type FlowModCommand = 'add' | 'modify' | 'modify_strict' | 'delete' | 'delete_strict'
/** In the order of their numbers, OFPFC_*. */
export const FLOW_MOD_COMMANDS: readonly FlowModCommand[] = [
  'add',
  'modify',
  'modify_strict',
  'delete',
  'delete_strict',
]

/** Flags of a flow-mod and of a rule, as in OpenFlow 1.3 (OFPFF_*). */
export const FF_SEND_FLOW_REM = 1 << 0
export const FF_CHECK_OVERLAP = 1 << 1
export const FF_RESET_COUNTS = 1 << 2
export const FF_NO_PKT_COUNTS = 1 << 3
export const FF_NO_BYT_COUNTS = 1 << 4
/** OFPFF_EMERG of OpenFlow 1.0, which Open vSwitch refuses. */
export const FF_EMERG = 1 << 5

/** `table` that means: the first table that takes the rule (add), or all of them (modify, delete). */
export const OFPTT_ALL = 0xff
/** The cookie that in OpenFlow 1.0 and NXM modifications means "leave it as it is". */
export const COOKIE_UNCHANGED = 0xffff_ffff_ffff_ffffn
/** OFPG_ANY: no restriction to a group. */
export const OFPG_ANY = 0xffff_ffff
/** OFPG_ALL: every group. */
export const OFPG_ALL = 0xffff_fffc
/** OFPG_MAX: the highest number a group may have. */
export const OFPG_MAX = 0xffff_ff00
/** OFP_NO_BUFFER: no packet is waiting at the switch. */
export const NO_BUFFER = 0xffff_ffff
/** The priority a rule has when none is given. */
export const DEFAULT_PRIORITY = 0x8000

export interface FlowMod {
  command: FlowModCommand
  match: Match
  /** 0 to 65535. */
  priority: number
  /** 0 to 254, or OFPTT_ALL. */
  table: number
  /** Only rules with cookie & cookieMask = cookie are modified or deleted; mask 0 for any. */
  cookie: bigint
  cookieMask: bigint
  /** Of an added rule; of modified ones if `modifyCookie`. */
  newCookie: bigint
  modifyCookie: boolean
  /** Seconds; 0 for never. */
  idleTimeout: number
  hardTimeout: number
  /** OpenFlow 1.4 and later: who is evicted first has the least. */
  importance: number
  /** NO_BUFFER or the number of a packet to send through the rule. */
  bufferId: number
  /** Deletions: only rules that output to this port; OFPP_ANY for any. */
  outPort: number
  /** Deletions: only rules that output to this group; OFPG_ANY for any. */
  outGroup: number
  /** FF_* */
  flags: number
  actions: readonly OfAction[]
}
