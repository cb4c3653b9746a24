/**
 * Flow-mod: what adds, changes and removes rules; one neutral record for OpenFlow 1.0's and 1.1's messages and
 * NXT_FLOW_MOD.
 */

import {
  ETH_IPV4,
  ETH_IPV6,
  W_CT_IPV6_DST,
  W_CT_IPV6_SRC,
  W_CT_NW_DST,
  W_CT_NW_SRC,
  W_TYPE,
} from '../flow-key.ts'
import { u16, u32 } from '../wire/big-endian.ts'
import type { OfAction } from './action.ts'
import type { ByteWriter } from './byte-writer.ts'
import { u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { decodeFlowFlags, encodeFlowFlags } from './flow-flags.ts'
import { decodeInstructions, encodeInstructions } from './instruction.ts'
import { DEFAULT_PRIORITY, emptyMatch, type Match } from './match.ts'
import { pullMatch, pullNxm, putMatch } from './match-message.ts'
import { normalizeMatch } from './match-normalize.ts'
import { encodeNxmMatch, type OxmDecodeOptions } from './match-nxm.ts'
import { decodeOf10Match, encodeOf10Match } from './match-of10.ts'
import type { Body, BodyCodec, BodyForm } from './message-codec.ts'
import { OFPP_ANY } from './port.ts'
import { port16, port32, putPort16 } from './port-number.ts'
import { OF11, OF14 } from './version.ts'

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

/** What a sender who says no more than `change` means: a rule for every packet that is added, and drops it. */
export function newFlowMod(change: Partial<FlowMod>): FlowMod {
  return {
    command: 'add',
    match: emptyMatch(),
    priority: DEFAULT_PRIORITY,
    table: OFPTT_ALL,
    cookie: 0n,
    cookieMask: 0n,
    newCookie: 0n,
    modifyCookie: false,
    idleTimeout: 0,
    hardTimeout: 0,
    importance: 0,
    bufferId: NO_BUFFER,
    outPort: OFPP_ANY,
    outGroup: OFPG_ANY,
    flags: 0,
    actions: [],
    ...change,
  }
}

/** Everything but the actions, which stand behind it. */
type Head = Omit<FlowMod, 'actions'> & { next: number; flagBits: number }

const STRICT: OxmDecodeOptions = {}
const ALL_WILDCARDS10 = (1 << 22) - 1

function isDeletion(command: FlowModCommand): boolean {
  return command === 'delete' || command === 'delete_strict'
}

function decode11({ b, o, end, version, match }: Body): Head | OfFault {
  const number = b[o + 17]
  const pulled = pullMatch(b, o + 40, end, match === undefined ? STRICT : { match })
  if (isFault(pulled)) return pulled
  const command = FLOW_MOD_COMMANDS[number]
  const table = b[o + 16]
  // 1.1 forbids "all tables", later versions allow it for deletions.
  const deletion = command !== undefined && isDeletion(command)
  if (table === OFPTT_ALL && (version === OF11 || !deletion)) return fault('OFPFMFC_BAD_TABLE_ID')
  const outPort = port32(b, o + 28)
  if (isFault(outPort)) return outPort
  if (command === undefined) return fault('OFPFMFC_BAD_COMMAND')
  const cookie = u64(b, o)
  const cookieMask = u64(b, o + 8)
  // In 1.1 a modification that asks for no cookie adds the flow if there is none.
  const adds = command === 'add' || (version === OF11 && !deletion && cookieMask === 0n)
  return {
    command,
    match: pulled.match,
    priority: u16(b, o + 22),
    table,
    cookie: adds ? 0n : cookie,
    cookieMask: adds ? 0n : cookieMask,
    newCookie: adds ? cookie : COOKIE_UNCHANGED,
    modifyCookie: false,
    idleTimeout: u16(b, o + 18),
    hardTimeout: u16(b, o + 20),
    importance: version >= OF14 && command === 'add' ? u16(b, o + 38) : 0,
    bufferId: u32(b, o + 24),
    outPort,
    outGroup: deletion ? u32(b, o + 32) : OFPG_ANY,
    flags: 0,
    flagBits: u16(b, o + 36),
    next: pulled.next,
  }
}

/** What OpenFlow 1.0's and Nicira's messages have in common: `at` is where the command stands. */
function decodeCommon(
  { b, tableIdExtension }: Body,
  at: number,
): Omit<Head, 'match' | 'cookie' | 'cookieMask' | 'next' | 'newCookie' | 'modifyCookie'> | OfFault {
  const number = u16(b, at)
  const command = FLOW_MOD_COMMANDS[tableIdExtension ? number & 0xff : number]
  if (command === undefined) return fault('OFPFMFC_BAD_COMMAND')
  return {
    command,
    table: tableIdExtension ? number >>> 8 : OFPTT_ALL,
    idleTimeout: u16(b, at + 2),
    hardTimeout: u16(b, at + 4),
    priority: u16(b, at + 6),
    importance: 0,
    bufferId: u32(b, at + 8),
    outPort: port16(b, at + 12),
    outGroup: OFPG_ANY,
    flags: 0,
    flagBits: u16(b, at + 14),
  }
}

function decode10(body: Body): Head | OfFault {
  const { b, o } = body
  const common = decodeCommon(body, o + 48)
  if (isFault(common)) return common
  const match = decodeOf10Match(b, o)
  normalizeMatch(match)
  const newCookie = u64(b, o + 40)
  return {
    ...common,
    match,
    // Flows without wildcards have the highest priority (OpenFlow 1.0 §3.4).
    priority: (u32(b, o) & ALL_WILDCARDS10) === 0 ? 0xffff : common.priority,
    cookie: 0n,
    cookieMask: 0n,
    newCookie,
    modifyCookie: newCookie !== COOKIE_UNCHANGED,
    next: o + 64,
  }
}

function decodeNicira(body: Body): Head | OfFault {
  const { b, o, end, match: into } = body
  const pulled = pullNxm(b, o + 32, u16(b, o + 24), end, { allowCookie: true, match: into })
  if (isFault(pulled)) return pulled
  const common = decodeCommon(body, o + 8)
  if (isFault(common)) return common
  const { match, cookie, next } = pulled
  // Additions may set a cookie, not ask for one.
  if (common.command === 'add' && cookie !== undefined && cookie.mask !== 0n)
    return fault('NXBRC_NXM_INVALID')
  const newCookie = u64(b, o)
  return {
    ...common,
    match,
    cookie: cookie?.cookie ?? 0n,
    cookieMask: cookie?.mask ?? 0n,
    newCookie,
    modifyCookie: newCookie !== COOKIE_UNCHANGED,
    next,
  }
}

/** Addresses of the original direction's tuple need an Ethernet type that has such addresses. */
function tupleIsConsistent({ value, mask }: Match): boolean {
  const type = value[W_TYPE] >>> 16
  const any = (word: number, words: number): boolean => {
    for (let i = word; i < word + words; i++) if (mask[i] !== 0) return true
    return false
  }
  if ((any(W_CT_NW_SRC, 1) || any(W_CT_NW_DST, 1)) && type !== ETH_IPV4) return false
  return !((any(W_CT_IPV6_SRC, 4) || any(W_CT_IPV6_DST, 4)) && type !== ETH_IPV6)
}

function decode(body: Body): FlowMod | OfFault {
  const { b, end, version, form } = body
  const head =
    form.kind === 'NXT'
      ? decodeNicira(body)
      : form.name === 'OFPT10_FLOW_MOD'
        ? decode10(body)
        : decode11(body)
  if (isFault(head)) return head
  if (!tupleIsConsistent(head.match)) return fault('OFPBAC_MATCH_INCONSISTENT')
  const actions =
    body.actions === undefined
      ? decodeInstructions(b, head.next, end, version)
      : body.actions.decode(b, head.next, end, version)
  if (isFault(actions)) return actions
  const flags = decodeFlowFlags(head.flagBits, version, head.command === 'add')
  if (isFault(flags)) return flags
  if ((flags & FF_EMERG) !== 0) {
    // There is no emergency cache: 1.0 names an error for timeouts in it, and none for the rest.
    const timed = head.idleTimeout !== 0 || head.hardTimeout !== 0
    return fault(timed ? 'OFPFMFC_BAD_EMERG_TIMEOUT' : 'OFPFMFC_TABLE_FULL')
  }
  // Field by field: a spread without two of them is several times as slow.
  return {
    command: head.command,
    match: head.match,
    priority: head.priority,
    table: head.table,
    cookie: head.cookie,
    cookieMask: head.cookieMask,
    newCookie: head.newCookie,
    modifyCookie: head.modifyCookie,
    idleTimeout: head.idleTimeout,
    hardTimeout: head.hardTimeout,
    importance: head.importance,
    bufferId: head.bufferId,
    outPort: head.outPort,
    outGroup: head.outGroup,
    flags,
    actions,
  }
}

function encode11(w: ByteWriter, m: FlowMod, { version }: BodyForm): void {
  const modification = m.command === 'modify' || m.command === 'modify_strict'
  const sets = m.command === 'add' || (version === OF11 && modification && m.cookieMask === 0n)
  w.u64(sets ? m.newCookie : m.cookie & m.cookieMask).u64(m.cookieMask)
  const allAllowed = version !== OF11 && isDeletion(m.command)
  w.u8(m.table === OFPTT_ALL && !allAllowed ? 0 : m.table).u8(FLOW_MOD_COMMANDS.indexOf(m.command))
  w.u16(m.idleTimeout).u16(m.hardTimeout).u16(m.priority).u32(m.bufferId)
  w.u32(m.outPort).u32(m.outGroup).u16(encodeFlowFlags(m.flags, version))
  w.u16(version >= OF14 && m.command === 'add' ? m.importance : 0)
  putMatch(w, m.match, version)
}

/** `tableIdExtension` is taken for granted when a table is named: without it 1.0 cannot name one. */
function putCommon(w: ByteWriter, m: FlowMod, { version }: BodyForm): void {
  const command = FLOW_MOD_COMMANDS.indexOf(m.command)
  w.u16(m.table === OFPTT_ALL ? command : command | (m.table << 8))
  w.u16(m.idleTimeout).u16(m.hardTimeout).u16(m.priority).u32(m.bufferId)
  putPort16(w, m.outPort)
  w.u16(encodeFlowFlags(m.flags, version))
}

function encode(w: ByteWriter, m: FlowMod, to: BodyForm): void {
  if (to.form.kind === 'NXT') {
    w.u64(m.newCookie)
    putCommon(w, m, to)
    const lengthAt = w.length
    w.u16(0).zeros(6)
    w.patch16(lengthAt, encodeNxmMatch(w, m.match, { cookie: m.cookie, mask: m.cookieMask }))
  } else if (to.form.name === 'OFPT10_FLOW_MOD') {
    encodeOf10Match(w, m.match)
    w.u64(m.newCookie)
    putCommon(w, m, to)
  } else encode11(w, m, to)
  encodeInstructions(w, m.actions, to.version, m.match)
}

export const FLOW_MOD_CODEC: BodyCodec<FlowMod> = { decode, encode }
