/**
 * The part of the door for groups, meters, packet-outs, ct() and `trace`. A bridge that is not there rejects
 * with ENOENT; what an OpenFlow client is to be told comes back as OpenFlow's errors.
 */
import type { OfAction } from '../protocols/openflow/action.ts'
import type { Continuation } from '../protocols/openflow/continuation.ts'
import type { CtFlush } from '../protocols/openflow/ct-flush.ts'
import type { OfErrorName } from '../protocols/openflow/error.ts'
import type { GroupDesc, GroupMod, GroupStats } from '../protocols/openflow/group.ts'
import type { Match } from '../protocols/openflow/match.ts'
import type { MeterConfig, MeterMod, MeterStats } from '../protocols/openflow/meter.ts'
import type { PacketIn, PacketInReason } from '../protocols/openflow/packet-in.ts'
import type { FragmentHandling } from '../protocols/openflow/switch-config.ts'
import type { BundleMod } from './ofproto/bundle-commit.ts'
import type { FlowModFailure } from './ofproto/flow-mod.ts'

/** What comes with every packet of a flow on its way to controllers. */
export interface PacketInTemplate {
  readonly bridge: string
  readonly reason: PacketInReason
  /** 255 for a packet-out. */
  readonly table: number
  /** All ones where no rule sent it. */
  readonly cookie: bigint
  /** in_port and what the packet carries besides its bytes. */
  readonly metadata: Match
  /** Bytes that the action asked for. */
  readonly maxLen: number
  readonly controllerId: number
  readonly userdata: Uint8Array
  /** Of packets that wait for the controller to say how they go on (`resume`). */
  readonly continuation?: Continuation
}

/**
 * A packet on its way to controllers. There may be very many: those of a bridge for which the control side is too slow
 * are dropped before it hears of them, and it is left time for everything else.
 */
export interface PacketInEvent {
  readonly type: 'packet-in'
  readonly bridge: string
  /** The same object for the packets of a flow that follow each other. */
  readonly template: PacketInTemplate
  /** All of it: no packet is kept here for a controller to refer to. The listener's only until it returns. */
  readonly packet: Uint8Array
}

export interface PacketOutSpec {
  /** OpenFlow number of the port that it is said to have come by. */
  readonly inPort: number
  /** What else it is said to carry: FLOW_WORDS words, those of the key disregarded. */
  readonly metadata?: Uint32Array
  readonly actions: readonly OfAction[]
}

export interface TraceOptions {
  /** Ports of the datapath are told by number; by name otherwise. */
  readonly numbers?: boolean
  /** Those of OpenFlow are told by name; by number otherwise. */
  readonly names?: boolean
  /** In which state (CS_* bits) connections are for one ct() after the other, instead of what is known of them. */
  readonly connectionStates?: readonly number[]
  /** What is carried out on the packet, instead of what the bridge's tables say. */
  readonly actions?: readonly OfAction[]
}

export interface PipelineCommands {
  groupMod(bridge: string, mod: GroupMod): OfErrorName | undefined
  /**
   * Carries out a bundle in order, before any other packet is forwarded, and all of it or nothing.
   * @param origin as of flowMod
   * @returns what was refused
   */
  bundle(bridge: string, mods: readonly BundleMod[], origin?: number): FlowModFailure | undefined
  /** By number; `group` undefined: all. */
  groupStats(bridge: string, group?: number): GroupStats[]
  groupDesc(bridge: string, group?: number): GroupDesc[]
  meterMod(bridge: string, mod: MeterMod): OfErrorName | undefined
  meterStats(bridge: string, meter?: number): MeterStats[]
  meterConfig(bridge: string, meter?: number): MeterConfig[]
  /** Carries out actions on a packet of the controller's. */
  packetOut(bridge: string, packet: Uint8Array, spec: PacketOutSpec): OfErrorName | undefined
  /** Goes on with a packet that a controller action has paused; an error if its bridge is no longer there. */
  resume(packetIn: PacketIn): OfErrorName | undefined
  /** Whether packets that match no rule are shown to controllers, where their table's settings leave it open. */
  packetInOnMiss(bridge: string, wanted: boolean): void
  /** What tables see of fragments ('reassemble' is never asked for). */
  fragments(bridge: string, handling: FragmentHandling): void
  /**
   * Forgets the connections of a zone of ct(), or of all its zones.
   * @param match only those whose tuples are like this
   */
  ctFlush(zone?: number, match?: CtFlush): void
  /**
   * What would become of a packet, in the words of `ofproto/trace`, a line each. Nothing is learned, sent or
   * counted.
   * @param packet a frame, or the flow to make one of: FLOW_WORDS words, in_port an OpenFlow number
   * @param inPort of a frame, the OpenFlow number of the port it comes by
   * Rejects with EINVAL and the name of OpenFlow's error when actions cannot be carried out.
   */
  trace(bridge: string, packet: Uint8Array | Uint32Array, inPort: number, options?: TraceOptions): string[]
}

export const PIPELINE_COMMANDS = [
  'groupMod',
  'bundle',
  'groupStats',
  'groupDesc',
  'meterMod',
  'meterStats',
  'meterConfig',
  'packetOut',
  'resume',
  'packetInOnMiss',
  'fragments',
  'ctFlush',
  'trace',
] as const satisfies readonly (keyof PipelineCommands)[]
