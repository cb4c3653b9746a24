import type { FlowMod } from '../../protocols/openflow/flow-mod.ts'

/** A flow-mod that waits to be carried out together with its neighbours. */
export interface FlowModMessage {
  /** As it came, for an error that brings it back. */
  readonly bytes: Uint8Array
  readonly mod: FlowMod
}
