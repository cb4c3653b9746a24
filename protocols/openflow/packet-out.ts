/** Packet-out: a controller has a packet sent. */

import type { OfAction } from './action.ts'
import type { Match } from './match.ts'

export interface PacketOut {
  /** Empty when bufferId names a waiting packet. */
  packet: Uint8Array
  /** NO_BUFFER or a packet's. */
  bufferId: number
  /** Where it is to seem to come from (in_port), and from OpenFlow 1.5 on other metadata of it, matched exactly. */
  metadata: Match
  actions: readonly OfAction[]
}
