/** Translations that do not begin at a port: those that go on, and packets that a controller sends. */
import { FLOW_WORDS, KEY_WORDS, W_ACTSET_OUTPUT, W_IN_PORT } from '../../protocols/flow-key.ts'
import { checkActions } from '../../protocols/openflow/action-check.ts'
import type { OfErrorName } from '../../protocols/openflow/error.ts'
import { OFPP_UNSET } from '../../protocols/openflow/port.ts'
import type { PacketOutSpec } from '../dpif-pipeline.ts'
import { DROP_RECIRC } from '../drops.ts'
import { type ActionContext, NO_TABLE } from './action-context.ts'
import { writeActions } from './action-set.ts'
import { targetRefusal } from './action-targets.ts'
import { trackWhole } from './actions/ct.ts'
import { executeActions } from './actions/execute-actions.ts'
import { noteBridge } from './bridge-input.ts'
import type { FrozenState } from './frozen-state.ts'
import { finishPipeline } from './pipeline.ts'
import type { Bridge } from './topology.ts'
import type { Xlate } from './xlate.ts'

/**
 * Goes on with the translation kept under a number, the packet's headers read anew.
 * @param ctInvalid what the tracker has found wrong with the packet: CT_*
 * @param ctWhole what ct() has made of the datagram of which the packet is a fragment
 */
export function resume(x: Xlate, id: number, ctInvalid: number, ctWhole?: Uint32Array): void {
  const state = kept(x, id)
  const ctx = state === undefined ? undefined : thaw(x, state)
  if (state === undefined || ctx === undefined) {
    x.drop(DROP_RECIRC)
    return
  }
  ctx.ctInvalid = ctInvalid
  ctx.ctWhole = ctWhole
  goOn(ctx, state)
}

/** Goes on with a translation that a controller gives back. */
export function resumePaused(x: Xlate, state: FrozenState): void {
  const ctx = thaw(x, state)
  if (ctx !== undefined) goOn(ctx, state)
}

/** What the ct() at which a translation has stopped makes of a datagram put together from its fragments. */
export function resumeWhole(x: Xlate, id: number): Uint32Array | undefined {
  const state = kept(x, id)
  const ctx = state === undefined ? undefined : thaw(x, state)
  if (state === undefined || ctx === undefined) return undefined
  const [{ table, cookie, actions }] = state.remainders
  const [action] = actions
  if (action.type !== 'ct') return undefined
  ctx.table = table
  ctx.cookie = cookie
  return trackWhole(ctx, action)
}

function kept(x: Xlate, id: number): FrozenState | undefined {
  const { frozen } = x.topology
  // Numbers are used again: no cached decision may outlive what this one means.
  x.tag(frozen.tag(id))
  return frozen.get(id)
}

function thaw(x: Xlate, state: FrozenState): ActionContext | undefined {
  const bridge = x.topology.bridgesByIndex[state.bridge]
  if (bridge === undefined) return undefined
  noteBridge(x, bridge)
  const ctx = x.contexts.take(bridge)
  // Until an action says of whose rule it is, nobody has sent the packet; as in Open vSwitch.
  ctx.cookie = 0n
  x.flow[W_IN_PORT] = state.inPort
  x.flow.set(state.metadata, KEY_WORDS)
  ctx.stack = [...state.stack]
  writeActions(ctx, state.actionSet)
  ctx.inPacketOut = state.inPacketOut
  return ctx
}

function goOn(ctx: ActionContext, { remainders }: FrozenState): void {
  ctx.x.deepen(() => {
    remainders.forEach((remainder, i) => {
      if (ctx.frozen !== undefined) {
        ctx.frozen.push(remainder)
        return
      }
      ctx.table = remainder.table
      ctx.cookie = remainder.cookie
      executeActions(ctx, remainder.actions, i === remainders.length - 1)
    })
    finishPipeline(ctx)
  })
}

const ALL_ONES = new Uint32Array(FLOW_WORDS).fill(0xffff_ffff)

/** Carries out the actions of a packet-out, or tells why they cannot be. */
export function packetOut(
  x: Xlate,
  bridge: Bridge,
  { inPort, metadata = new Uint32Array(FLOW_WORDS), actions }: PacketOutSpec,
): OfErrorName | undefined {
  const unfit = checkActions(actions, { value: x.flow, mask: ALL_ONES })
  const refusal = unfit?.error ?? targetRefusal(actions, bridge.tables.targets)
  if (refusal !== undefined) return refusal
  noteBridge(x, bridge)
  x.trace?.bridge(x.level, bridge.spec.name)
  x.flow.set(metadata.subarray(KEY_WORDS, FLOW_WORDS), KEY_WORDS)
  x.flow[W_ACTSET_OUTPUT] = OFPP_UNSET
  x.flow[W_IN_PORT] = inPort
  const ctx = x.contexts.take(bridge)
  ctx.table = NO_TABLE
  ctx.inPacketOut = true
  x.deepen(() => {
    executeActions(ctx, actions, true)
    finishPipeline(ctx)
  })
  x.trace?.final(x.flow)
  return x.failed ? 'OFPFMFC_UNKNOWN' : undefined
}
