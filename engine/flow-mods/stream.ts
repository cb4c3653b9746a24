/**
 * The short way through the door, for flow-mods alone: they are handed over as they came from the wire, and
 * answered only where they are refused. A stream keeps its order; it has none with commands, so whoever uses both
 * lets the stream settle in between.
 */
import type { OfErrorName } from '../../protocols/openflow/error.ts'

/** Called for every flow-mod that is refused, in their order, with the message. */
export type OnRefused = (error: OfErrorName, bytes: Uint8Array) => void

export interface FlowModStream {
  /**
   * Hands over a whole message, which is copied. False: there is no room until `room` resolves.
   * @param tableIdExtension as in protocols/openflow/message.ts
   */
  push(bytes: Uint8Array, tableIdExtension: boolean): boolean
  room(): Promise<void>
  /**
   * Whether all have been carried out, no packet meets an older rule, and refusals and the events caused have been
   * told. Waits for that, but not for long: then `settled` resolves when it is so.
   */
  settle(): boolean
  settled(): Promise<void>
  /** What has been pushed is still carried out; nothing is told any more. Idempotent. */
  close(): void
}

/** The door as far as streams go. */
export interface FlowModDoor {
  openFlowMods(bridge: string, onRefused: OnRefused): FlowModStream
}
