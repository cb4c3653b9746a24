/**
 * Action lists and instructions of OpenFlow messages (OpenFlow 1.3 §7.2.4, §7.2.5) from and to the neutral list
 * in which instructions are actions too.
 */

import { u16, u32 } from '../wire/big-endian.ts'
import type { OfAction } from './action.ts'
import { decodeList } from './action-decode.ts'
import { type EncodeContext, encodeActions, encodeContext } from './action-encode.ts'
import { isAllowedInActionSet, verifyActions } from './action-verify.ts'
import type { ByteWriter } from './byte-writer.ts'
import { fault, isFault, type OfFault } from './error.ts'
import type { Match } from './match.ts'
import { bigOf } from './subfield.ts'
import { OF10, OF13, OF15, type OfVersion } from './version.ts'

const GOTO_TABLE = 1
const WRITE_METADATA = 2
const WRITE_ACTIONS = 3
const APPLY_ACTIONS = 4
const CLEAR_ACTIONS = 5
const METER = 6
const EXPERIMENTER = 0xffff

/** Length, negative for "at least". */
const LENGTHS: Readonly<Record<number, number>> = {
  [GOTO_TABLE]: 8,
  [WRITE_METADATA]: 24,
  [WRITE_ACTIONS]: -8,
  [APPLY_ACTIONS]: -8,
  [CLEAR_ACTIONS]: -8,
  [METER]: 8,
}

/** Decodes the action list from `o` to `end`: of packet-out, of a bucket, of OpenFlow 1.0's flow-mod. */
export function decodeActions(
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
  {
    instructions = false,
  }: { /** OpenFlow 1.0: goto_table and the like may stand in it. */ instructions?: boolean } = {},
): OfAction[] | OfFault {
  if (end > b.length) return fault('OFPBRC_BAD_LEN')
  const list = decodeList(b, o, end, version, 0)
  if (isFault(list)) return list
  return verifyActions(list, version, instructions || version === OF10) ?? (list as OfAction[])
}

function actionSet(b: Uint8Array, o: number, end: number, version: OfVersion): OfAction[] | OfFault {
  const list = decodeList(b, o, end, version, 0)
  if (isFault(list)) return list
  return list.every(isAllowedInActionSet) ? (list as OfAction[]) : fault('OFPBAC_BAD_TYPE')
}

/** Decodes what stands behind a flow's match: actions in OpenFlow 1.0, instructions later. */
export function decodeInstructions(
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
): OfAction[] | OfFault {
  if (version === OF10) return decodeActions(b, o, end, version, { instructions: true })
  if (end > b.length || (end - o) % 8 !== 0) return fault('OFPBIC_BAD_LEN')
  const at: (number | undefined)[] = []
  while (o < end) {
    const type = u16(b, o)
    const length = u16(b, o + 2)
    if (length < 8 || length % 8 !== 0 || length > end - o) return fault('OFPBIC_BAD_LEN')
    if (type === EXPERIMENTER) return fault('OFPBIC_BAD_EXPERIMENTER')
    const expected = LENGTHS[type]
    if (expected === undefined) return fault('OFPBIC_UNKNOWN_INST')
    if (expected < 0 ? length < -expected : length !== expected) return fault('OFPBIC_BAD_LEN')
    if (type === METER && version >= OF15) return fault('OFPBIC_UNKNOWN_INST')
    if (at[type] !== undefined) return fault('OFPBIC_DUP_INST')
    at[type] = o
    o += length
  }
  return inOrder(b, at, version)
}

/** The instructions found `at` their places, in the order in which they are carried out. */
function inOrder(
  b: Uint8Array,
  at: readonly (number | undefined)[],
  version: OfVersion,
): OfAction[] | OfFault {
  const list: OfAction[] = []
  const meter = at[METER]
  const apply = at[APPLY_ACTIONS]
  const write = at[WRITE_ACTIONS]
  const metadata = at[WRITE_METADATA]
  const table = at[GOTO_TABLE]
  if (meter !== undefined) list.push({ type: 'meter', meter: u32(b, meter + 4) })
  if (apply !== undefined) {
    const actions = decodeList(b, apply + 8, apply + u16(b, apply + 2), version, 0)
    if (isFault(actions)) return actions
    list.push(...(actions as OfAction[]))
  }
  if (at[CLEAR_ACTIONS] !== undefined) list.push({ type: 'clear_actions' })
  if (write !== undefined) {
    const actions = actionSet(b, write + 8, write + u16(b, write + 2), version)
    if (isFault(actions)) return actions
    list.push({ type: 'write_actions', actions })
  }
  if (metadata !== undefined) {
    const o = metadata + 8
    list.push({
      type: 'write_metadata',
      metadata: bigOf(b.subarray(o, o + 8)),
      mask: bigOf(b.subarray(o + 8, o + 16)),
    })
  }
  if (table !== undefined) list.push({ type: 'goto_table', table: b[table + 4] })
  return verifyActions(list, version, true) ?? list
}

function isApplied(a: OfAction, version: OfVersion): boolean {
  switch (a.type) {
    case 'meter':
      return version >= OF15
    case 'goto_table':
    case 'write_metadata':
    case 'write_actions':
    case 'clear_actions':
      return false
    default:
      return true
  }
}

function encodeInstruction(w: ByteWriter, a: OfAction, ctx: EncodeContext): void {
  if (a.type === 'goto_table') w.u16(GOTO_TABLE).u16(8).u8(a.table).zeros(3)
  else if (a.type === 'clear_actions') w.u16(CLEAR_ACTIONS).u16(8).zeros(4)
  else if (a.type === 'write_metadata') w.u16(WRITE_METADATA).u16(24).zeros(4).u64(a.metadata).u64(a.mask)
  else if (a.type === 'meter') {
    if (ctx.version >= OF13) w.u16(METER).u16(8).u32(a.meter)
  } else if (a.type === 'write_actions') actionInstruction(w, WRITE_ACTIONS, a.actions, ctx)
}

function actionInstruction(
  w: ByteWriter,
  type: number,
  actions: readonly OfAction[],
  ctx: EncodeContext,
): void {
  const start = w.length
  w.u16(type).u16(0).zeros(4)
  encodeActions(w, actions, ctx)
  w.patch16(start + 2, w.length - start)
}

/** Writes an action list. `match` is the flow's, if there is one: some versions need to know of VLAN and protocol. */
export function encodeActionList(
  w: ByteWriter,
  actions: readonly OfAction[],
  version: OfVersion,
  match?: Match,
): void {
  encodeActions(w, actions, encodeContext(version, match))
}

/** Writes a flow's actions: plainly in OpenFlow 1.0, as instructions later. */
export function encodeInstructions(
  w: ByteWriter,
  actions: readonly OfAction[],
  version: OfVersion,
  match?: Match,
): void {
  const ctx = encodeContext(version, match)
  if (version === OF10) {
    encodeActions(w, actions, ctx)
    return
  }
  for (let i = 0; i < actions.length; ) {
    let n = i
    while (n < actions.length && isApplied(actions[n], version)) n++
    if (n > i) {
      actionInstruction(w, APPLY_ACTIONS, actions.slice(i, n), ctx)
      i = n
    } else encodeInstruction(w, actions[i++], ctx)
  }
}
