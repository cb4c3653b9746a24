/** Translations that do not begin at a port: those that go on, and packets that a controller sends. */
import { FLOW_WORDS, KEY_WORDS, W_ACTSET_OUTPUT, W_IN_PORT } from '../../protocols/flow-key.ts'
import type { OfAction } from '../../protocols/openflow/action.ts'
import { OFPP_UNSET } from '../../protocols/openflow/port.ts'
import { ActionContext, NO_TABLE } from './action-context.ts'
import { executeActions } from './actions/execute-actions.ts'
import { noteBridge } from './bridge-input.ts'
import type { FrozenState } from './frozen-state.ts'
import { finishPipeline } from './pipeline.ts'
import type { Bridge } from './topology.ts'
import type { Xlate } from './xlate.ts'

/**
 * Goes on with a frozen translation, the packet's headers read anew.
 * @param ctInvalid the tracker has found the packet at odds with its connection
 */
export function resume(x: Xlate, state: FrozenState, ctInvalid: boolean): void {
  const bridge = x.topology.bridgesByIndex[state.bridge]
  if (bridge === undefined) return
  noteBridge(x, bridge)
  const ctx = new ActionContext(x, bridge)
  x.flow[W_IN_PORT] = state.inPort
  x.flow.set(state.metadata, KEY_WORDS)
  ctx.stack = [...state.stack]
  ctx.actionSet = [...state.actionSet]
  ctx.inPacketOut = state.inPacketOut
  ctx.ctInvalid = ctInvalid
  state.remainders.forEach(({ table, cookie, actions }, i) => {
    ctx.table = table
    ctx.cookie = cookie
    const last = i === state.remainders.length - 1
    if (ctx.frozen !== undefined) ctx.frozen.push({ table, cookie, actions })
    else executeActions(ctx, actions, last)
  })
  finishPipeline(ctx)
}

/** Carries out the actions of a packet-out. */
export function packetOut(
  x: Xlate,
  bridge: Bridge,
  inPort: number,
  metadata: Uint32Array,
  actions: readonly OfAction[],
): void {
  noteBridge(x, bridge)
  x.trace?.bridge(x.depth, bridge.spec.name)
  x.flow.set(metadata.subarray(KEY_WORDS, FLOW_WORDS), KEY_WORDS)
  x.flow[W_ACTSET_OUTPUT] = OFPP_UNSET
  x.flow[W_IN_PORT] = inPort
  const ctx = new ActionContext(x, bridge)
  ctx.table = NO_TABLE
  ctx.inPacketOut = true
  executeActions(ctx, actions, true)
  finishPipeline(ctx)
}
