/** What a translation asks of the connection tracker on behalf of ct(). */
import type { CtAction } from '../../protocols/openflow/action.ts'
import type { CtFlush } from '../../protocols/openflow/ct-flush.ts'
import type { Instant } from '../../protocols/time.ts'
import type { Page } from '../dpif.ts'
import type { CtLimits, CtRow } from '../dpif-conntrack.ts'
import type { Xlate } from './xlate.ts'

/** Nothing. */
export const CT_FINE = 0
/** It is at odds with its connection, of which nothing is said therefore. */
export const CT_MISFIT = 1
/** It announces to its connection's helper what it may not. */
export const CT_BAD_PAYLOAD = 2

/** A packet that is to be tracked. */
export interface TrackRequest {
  readonly action: CtAction
  readonly zone: number
  /** The operation that shows each packet of the flow to its connection: OP_TRACK or OP_TRACK_ASIDE. */
  readonly op: number
  /** The packet is a datagram whose fragments wait for what becomes of it: no program is to be written. */
  readonly whole: boolean
  /** What the tracker, shown this packet before, has found wrong with it: one of CT_*. */
  readonly invalid: number
  /** The number under which the translation goes on where the cached decision does not hold. */
  resume(): number
  /** Carries out exec(): what it leaves in ct_mark and ct_label becomes the connection's. */
  exec(): void
  note(text: string): void
}

export interface ConnectionTracker {
  /** Puts what is known of the packet's connection into the ct_* fields of `x.flow`, and translates addresses. */
  track(x: Xlate, request: TrackRequest): void
  /** OP_QUOTED: translates the packet that an ICMP error in `h` quotes. */
  quoted(connection: number, direction: number, h: number): void
  /** Forgets the connections of a zone, or of all zones that ct() has opened: all, or those that `match` describes. */
  flush(zone?: number, match?: CtFlush): void
  /** The connections from a number on, as of now. */
  rows(from: number, now: Instant): Page<CtRow>
  /** How many there may be. */
  limits: CtLimits
}
