/** The part of the door for the connections of ct(): who wants to see them, and how many there may be. */
import type { Page } from './dpif.ts'

/** Packets of one direction as they arrive. */
export interface CtTupleRow {
  /** Four words each of source and destination; of IPv4 the first. */
  readonly addresses: Uint32Array
  /** Ports, or the identifier (high) and type of ICMP, in the numbers of ICMPv4. */
  readonly tp: number
}

export interface CtRow {
  readonly zone: number
  readonly ipv6: boolean
  /** IP protocol; 1 also for ICMPv6. */
  readonly proto: number
  readonly original: CtTupleRow
  readonly reply: CtTupleRow
  readonly mark: number
  /** Four words, most significant first. */
  readonly label: Uint32Array
  /** TCP: the state's name, as in engine/conntrack/tcp-state.ts. */
  readonly state: string
  /** Seconds until it is forgotten. */
  readonly expires: number
  /** Helper that reads it. */
  readonly helped: boolean
}

/** How many connections there may be; 0 for no limit. */
export interface CtLimits {
  /** In all zones. */
  readonly connections: number
  /** In a zone that has no limit of its own. */
  readonly zone: number
  /** Of zones by number. */
  readonly zones: ReadonlyMap<number, number>
}

/** How fragments are put together before ct() sees them. */
export interface FragmentSettings {
  /** Fragments that may wait, within what the dataplane has room for. */
  readonly maximum: number
  /** Of IPv4 and of IPv6; bytes of IP packets that are not the last fragment. */
  readonly versions: readonly [FragmentRule, FragmentRule]
}

export interface FragmentRule {
  readonly enabled: boolean
  readonly minSize: number
}

/** Fragments, by what has become of them. */
export interface FragmentCounts {
  accepted: number
  completed: number
  expired: number
  tooSmall: number
  overlapped: number
  purged: number
}

export interface FragmentStatus extends FragmentSettings {
  readonly waiting: number
  readonly counts: readonly [FragmentCounts, FragmentCounts]
}

export interface ConntrackCommands {
  ctConnections(from: number): Page<CtRow>
  ctLimits(): CtLimits
  ctLimitsPut(limits: CtLimits): void
  ctFragments(): FragmentStatus
  ctFragmentsPut(settings: FragmentSettings): void
  /** Whether segments whose sequence numbers do not fit are invalid. @param wanted sets it */
  ctSequenceChecks(wanted?: boolean): boolean
}

export const CONNTRACK_COMMANDS = [
  'ctConnections',
  'ctLimits',
  'ctLimitsPut',
  'ctFragments',
  'ctFragmentsPut',
  'ctSequenceChecks',
] as const satisfies readonly (keyof ConntrackCommands)[]
