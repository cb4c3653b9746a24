/**
 * The state of a translation that a pausing controller action interrupted: it travels in NXT_PACKET_IN2 to the
 * controller and back in NXT_RESUME (NXCPT_* properties). To the controller it is opaque.
 */

import { u32 } from '../wire/big-endian.ts'
import type { OfAction } from './action.ts'
import type { ByteWriter } from './byte-writer.ts'
import { u64 } from './counters.ts'
import { fault, isFault, type OfFault } from './error.ts'
import { decodeActions, encodeActionList } from './instruction.ts'
import {
  endProperty,
  nestedAt,
  type Property,
  putBytesProperty,
  putU8Property,
  putU32Property,
  putU64Property,
  readProperty,
  startNestedProperty,
  unknownProperty,
} from './properties.ts'
import type { OfVersion } from './version.ts'

/** Actions still to be carried out, of one rule. */
export interface ContinuationFrame {
  table: number
  cookie: bigint
  actions: readonly OfAction[]
}

export interface Continuation {
  /** UUID of the bridge, 16 bytes; all 0 for none. */
  bridge: Uint8Array
  /** Values on the stack, the top first; at most 128 bytes each. */
  stack: readonly Uint8Array[]
  mirrors: number
  conntracked: boolean
  /** In the order in which they are carried out. */
  frames: readonly ContinuationFrame[]
  actionSet: readonly OfAction[]
  /** Datapath port; 0 for none. */
  odpPort: number
}

const BRIDGE = 0x8000
const STACK = 0x8001
const MIRRORS = 0x8002
const CONNTRACKED = 0x8003
const TABLE_ID = 0x8004
const COOKIE = 0x8005
const ACTIONS = 0x8006
const ACTION_SET = 0x8007
const ODP_PORT = 0x8008
const MAX_STACK_VALUE = 128

export function emptyContinuation(): Continuation {
  return {
    bridge: new Uint8Array(16),
    stack: [],
    mirrors: 0,
    conntracked: false,
    frames: [],
    actionSet: [],
    odpPort: 0,
  }
}

function actionsOf(b: Uint8Array, p: Property, version: OfVersion): OfAction[] | OfFault {
  const at = nestedAt(p)
  return at === undefined ? fault('OFPBPC_BAD_LEN') : decodeActions(b, at, p.end, version)
}

/** The value of a property that must have just `bytes` bytes. */
function sized(p: Property, bytes: number): OfFault | undefined {
  return p.end - p.at === bytes ? undefined : fault('OFPBPC_BAD_LEN')
}

/** Decodes the properties from `o` to `end`. */
export function decodeContinuation(
  b: Uint8Array,
  o: number,
  end: number,
  version: OfVersion,
): Continuation | OfFault {
  const stack: Uint8Array[] = []
  const frames: ContinuationFrame[] = []
  const c = { ...emptyContinuation(), stack, frames }
  const rule = { table: 0, cookie: 0n }
  while (o < end) {
    const p = readProperty(b, o, end)
    if (isFault(p)) return p
    o = p.next
    let bad: OfFault | undefined
    if (p.experimenter !== 0) return unknownProperty(p)
    switch (p.type) {
      case BRIDGE:
        bad = sized(p, 16)
        if (bad === undefined) c.bridge = b.slice(p.at, p.end)
        break
      case STACK:
        if (p.end - p.at > MAX_STACK_VALUE) return fault('OFPBPC_BAD_LEN')
        stack.push(b.slice(p.at, p.end))
        break
      case MIRRORS:
        bad = sized(p, 4)
        c.mirrors = bad === undefined ? u32(b, p.at) : 0
        break
      case CONNTRACKED:
        c.conntracked = true
        break
      case TABLE_ID:
        if (p.end === p.at) return fault('OFPBPC_BAD_LEN')
        rule.table = b[p.at]
        break
      case COOKIE:
        if (p.end - p.start !== 16) return fault('OFPBPC_BAD_LEN')
        rule.cookie = u64(b, p.start + 8)
        break
      case ACTIONS: {
        const actions = actionsOf(b, p, version)
        if (isFault(actions)) return actions
        frames.push({ ...rule, actions })
        break
      }
      case ACTION_SET: {
        const actions = actionsOf(b, p, version)
        if (isFault(actions)) return actions
        c.actionSet = actions
        break
      }
      case ODP_PORT:
        bad = sized(p, 4)
        c.odpPort = bad === undefined ? u32(b, p.at) : 0
        break
      default:
        return unknownProperty(p)
    }
    if (bad !== undefined) return bad
  }
  return c
}

function putActions(w: ByteWriter, type: number, actions: readonly OfAction[], version: OfVersion): void {
  const start = startNestedProperty(w, type)
  encodeActionList(w, actions, version)
  endProperty(w, start)
}

/** Table and cookie are written where they change; both begin as 0. */
export function encodeContinuation(w: ByteWriter, c: Continuation, version: OfVersion): void {
  if (c.bridge.some((x) => x !== 0)) putBytesProperty(w, BRIDGE, c.bridge)
  for (const value of c.stack) putBytesProperty(w, STACK, value)
  if (c.mirrors !== 0) putU32Property(w, MIRRORS, c.mirrors)
  if (c.conntracked) putBytesProperty(w, CONNTRACKED, new Uint8Array(0))
  let table = 0
  let cookie = 0n
  for (const frame of c.frames) {
    if (frame.actions.length === 0) continue
    if (frame.table !== table) putU8Property(w, TABLE_ID, frame.table)
    if (frame.cookie !== cookie) putU64Property(w, COOKIE, frame.cookie)
    table = frame.table
    cookie = frame.cookie
    putActions(w, ACTIONS, frame.actions, version)
  }
  if (c.actionSet.length > 0) putActions(w, ACTION_SET, c.actionSet, version)
  if (c.odpPort !== 0) putU32Property(w, ODP_PORT, c.odpPort)
}
