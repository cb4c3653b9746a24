/**
 * What a paused translation tells the controller of itself, and how it is made whole again from what the controller
 * gives back (NXT_RESUME). It says what Open vSwitch says, so that a controller that looks into it sees what it knows.
 */
import {
  FLOW_WORDS,
  KEY_WORDS,
  W_ACTSET_OUTPUT,
  W_CT_STATE,
  W_CT_TP,
  W_IN_PORT,
} from '../../protocols/flow-key.ts'
import { fieldByName } from '../../protocols/meta-flow.ts'
import { type OfAction, TABLE_CURRENT } from '../../protocols/openflow/action.ts'
import {
  type Continuation,
  type ContinuationFrame,
  emptyContinuation,
} from '../../protocols/openflow/continuation.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import { matchInPort } from '../../protocols/openflow/match.ts'
import type { PacketIn } from '../../protocols/openflow/packet-in.ts'
import { OFPP_IN_PORT, OFPP_NONE, OFPP_UNSET } from '../../protocols/openflow/port.ts'
import { type ActionContext, MAX_STACK, type Remainder, type StackFrame } from './action-context.ts'
import type { FrozenState } from './frozen-state.ts'
import type { Bridge } from './topology.ts'

const METADATA = fieldByName('metadata')!.id
/** Bytes of a value on the stack here. */
const STACK_BYTES = 16

export function continuationAt(ctx: ActionContext, rest: readonly Remainder[]): Continuation {
  const { x, bridge } = ctx
  return {
    bridge: bridge.uuid,
    stack: ctx.stack.map(bytesOf).reverse(),
    mirrors: 0,
    conntracked: x.flow[W_CT_STATE] !== 0,
    frames: framesOf(rest),
    actionSet: ctx.actionSet,
    odpPort: x.origin[W_IN_PORT],
  }
}

/** Where a translation stood that a controller gives back to its bridge; an error if it says what cannot be. */
export function stateOf(
  bridge: Bridge,
  { metadata, continuation = emptyContinuation() }: PacketIn,
): FrozenState | OfErrorName {
  const { stack, conntracked, frames, actionSet } = continuation
  const inWords = bridge.tables.tlv.inWords(metadata)
  if (typeof inWords === 'string') return inWords
  const words = inWords.value.slice(KEY_WORDS, FLOW_WORDS)
  if (!conntracked) words.fill(0, W_CT_STATE - KEY_WORDS, W_CT_TP + 1 - KEY_WORDS)
  words[W_ACTSET_OUTPUT - KEY_WORDS] = OFPP_UNSET
  return {
    bridge: bridge.index,
    inPort: matchInPort(metadata) ?? OFPP_NONE,
    metadata: words,
    stack: stack.slice(0, MAX_STACK).map(frameOf).reverse(),
    actionSet,
    remainders: frames,
    inPacketOut: false,
  }
}

/**
 * Actions are grouped under table and cookie of their rule, but only where an action tells them to somebody or
 * goes by them. Instructions become the actions that do the same.
 */
function framesOf(rest: readonly Remainder[]): ContinuationFrame[] {
  const frames: { table: number; cookie: bigint; actions: OfAction[] }[] = []
  let told = false
  for (const { table, cookie, actions } of rest) {
    for (const action of actions) {
      if (action.type === 'note' || action.type === 'conjunction') continue
      const last = frames.at(-1)
      const needed: boolean = goesByRule(action) && !(told && last?.table === table && last.cookie === cookie)
      if (needed) frames.push({ table, cookie, actions: [] })
      else if (last === undefined) frames.push({ table: 0, cookie: 0n, actions: [] })
      told ||= needed
      frames.at(-1)!.actions.push(asAction(action))
    }
  }
  return frames
}

function goesByRule(action: OfAction): boolean {
  switch (action.type) {
    case 'output':
    case 'output_reg':
    case 'output_trunc':
    case 'group':
    case 'controller':
    case 'dec_ttl':
    case 'dec_mpls_ttl':
    case 'dec_nsh_ttl':
      return true
    case 'resubmit':
      return action.table === TABLE_CURRENT
    default:
      return false
  }
}

function asAction(action: OfAction): OfAction {
  if (action.type === 'goto_table') {
    return { type: 'resubmit', inPort: OFPP_IN_PORT, table: action.table, withCt: false, plain: false }
  }
  if (action.type !== 'write_metadata') return action
  const bytes = (value: bigint) =>
    Uint8Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 0xffn))
  const { metadata, mask } = action
  return {
    type: 'set_field',
    field: METADATA,
    value: bytes(metadata & mask),
    mask: bytes(mask),
    as: 'set_field',
  }
}

function bytesOf({ nBits, words }: StackFrame): Uint8Array {
  const length = (nBits + 7) >> 3
  return Uint8Array.from({ length }, (_, i) => {
    const at = STACK_BYTES - length + i
    return words[at >> 2] >>> (24 - 8 * (at & 3))
  })
}

function frameOf(bytes: Uint8Array): StackFrame {
  const words = new Uint32Array(STACK_BYTES >> 2)
  const kept = bytes.subarray(Math.max(0, bytes.length - STACK_BYTES))
  for (let i = 0; i < kept.length; i++) {
    const at = STACK_BYTES - kept.length + i
    words[at >> 2] |= kept[i] << (24 - 8 * (at & 3))
  }
  return { nBits: 8 * kept.length, words }
}
