/** Packet-in: a packet, or its beginning, on its way to a controller, and the continuation of a paused one. */

import type { OfAction } from './action.ts'
import type { Match } from './match.ts'

/** OFPR_* in the order of their numbers. */
export const PACKET_IN_REASONS = [
  'no_match',
  'action',
  'invalid_ttl',
  'action_set',
  'group',
  'packet_out',
  'explicit_miss',
  'implicit_miss',
] as const
export type PacketInReason = (typeof PACKET_IN_REASONS)[number]

/** The form in which a connection wants its packet-ins (NXT_SET_PACKET_IN_FORMAT). */
export type PacketInFormat = 'standard' | 'nxt_packet_in' | 'nxt_packet_in2'

export interface PacketIn {
  packet: Uint8Array
  /** Of the whole packet, of which `packet` may be the beginning. */
  totalLength: number
  /** NO_BUFFER or the number by which a packet-out or flow-mod can refer to it. */
  bufferId: number
  reason: PacketInReason
  table: number
  /** Of the rule that sent it; all ones where none did. */
  cookie: bigint
  /** The metadata that came with the packet: in_port, registers, tunnel, metadata …, matched exactly. */
  metadata: Match
  /** NXT_PACKET_IN2 only: what the controller action said. Empty otherwise. */
  userdata: Uint8Array
  /** NXT_PACKET_IN2 of a pausing controller action: what NXT_RESUME must bring back. */
  continuation?: Continuation | undefined
}

/** State of a translation that a pausing controller action interrupted (NXCPT_*). */
export interface Continuation {
  /** UUID of the bridge: 16 bytes. */
  bridge: Uint8Array
  /** Of each frame its subfields' values. */
  stack: readonly Uint8Array[]
  mirrors: number
  conntracked: boolean
  /** Table and cookie of the rule. */
  table?: number | undefined
  cookie?: bigint | undefined
  /** Still to be carried out. */
  actions: readonly OfAction[]
  /** The action set. */
  actionSet: readonly OfAction[]
  odpPort?: number | undefined
}
