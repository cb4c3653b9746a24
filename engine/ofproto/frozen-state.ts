/** A translation that was interrupted, as it goes on with the packet's headers read anew. */
import { KEY_WORDS, W_PACKET_TYPE } from '../../protocols/flow-key.ts'
import type { OfAction } from '../../protocols/openflow/action.ts'
import type { Remainder, StackFrame } from './action-context.ts'

export interface FrozenState {
  /** Index of the bridge. */
  readonly bridge: number
  /** OpenFlow port that the packet came by, in this bridge. */
  readonly inPort: number
  /** Words of the flow behind the key. */
  readonly metadata: Uint32Array
  readonly stack: readonly StackFrame[]
  readonly actionSet: readonly OfAction[]
  /** What is left to do, innermost list first. */
  readonly remainders: readonly Remainder[]
  readonly inPacketOut: boolean
}

/** What the packet of a state begins with: packet_type of ovs-fields(7). */
export function packetTypeOf(state: FrozenState | undefined): number {
  return state === undefined ? 0 : state.metadata[W_PACKET_TYPE - KEY_WORDS]
}

/** Equal states, and no others, have equal texts. */
export function textOfState(state: FrozenState): string {
  return JSON.stringify(state, (_, value) => {
    if (typeof value === 'bigint') return `${value}n`
    return ArrayBuffer.isView(value) ? Array.from(value as Uint32Array) : value
  })
}
