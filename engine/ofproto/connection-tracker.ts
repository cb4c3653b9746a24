/** What a translation asks of the connection tracker on behalf of ct(). */
import type { CtAction } from '../../protocols/openflow/action.ts'
import type { Xlate } from './xlate.ts'

/** A packet that is to be tracked. */
export interface TrackRequest {
  readonly action: CtAction
  readonly zone: number
  /** The operation that shows each packet of the flow to its connection: OP_TRACK or OP_TRACK_ASIDE. */
  readonly op: number
  /** The tracker has found this packet at odds with its connection. */
  readonly invalid: boolean
  /** The number under which the translation goes on where the cached decision does not hold. */
  resume(): number
  /** Carries out exec(): what it leaves in ct_mark and ct_label becomes the connection's. */
  exec(): void
  note(text: string): void
}

export interface ConnectionTracker {
  /** Puts what is known of the packet's connection into the ct_* fields of `x.flow`, and translates addresses. */
  track(x: Xlate, request: TrackRequest): void
  /** Forgets the connections of a zone, or of all zones that ct() has opened. */
  flush(zone?: number): void
}
