/**
 * The part of the door that OpenFlow goes through: flow tables of bridges, programmed and asked about.
 * A bridge that is not there rejects with ENOENT; what a client is to be told comes back as OpenFlow's errors.
 */
import type { Subfield } from '../protocols/openflow/action.ts'
import type { OfErrorName } from '../protocols/openflow/error.ts'
import type { FlowMod } from '../protocols/openflow/flow-mod.ts'
import type { AggregateStats, FlowStats, FlowStatsRequest } from '../protocols/openflow/flow-stats.ts'
import type { TableMiss } from '../protocols/openflow/table-miss.ts'
import type { TableDesc, TableMod } from '../protocols/openflow/table-mod.ts'
import type { TlvTableMod, TlvTableReply } from '../protocols/openflow/tlv-table.ts'
import type { Page } from './dpif.ts'
import type { FlowModFailure } from './ofproto/flow-mod.ts'
import type { FlowChanges, FlowMonitorSpec, FlowSnapshot } from './ofproto/flow-monitor.ts'

/** What a table has counted, and what of it can be set. */
export interface FlowTableStats {
  readonly table: number
  readonly name: string
  /** Rules it may have; undefined for no limit. */
  readonly maxFlows: number | undefined
  readonly miss: TableMiss
  readonly activeCount: number
  readonly lookupCount: number
  readonly matchedCount: number
}

/** Settings that are not OpenFlow's to change: the Flow_Table of ovs-vswitchd.conf.db(5). */
export interface FlowTableSpec {
  readonly name: string
  readonly maxFlows: number | undefined
  /** Evict rules when full (overflow_policy), of the largest group of those that agree in these fields. */
  readonly eviction: boolean
  readonly groups?: readonly Subfield[]
}

/** Rules have changed that monitors watch. */
export interface FlowChangesEvent extends FlowChanges {
  readonly type: 'flow-changes'
  readonly bridge: string
}

export interface OpenflowCommands {
  /**
   * Carries out flow-mods, in order, before any other packet is forwarded. Of an `atomic` list all or none.
   * Answers those refused; none means that all was done.
   * @param origin comes back in the `flow-changes` events of these; 0 for nobody in particular
   */
  flowMod(bridge: string, mods: readonly FlowMod[], atomic: boolean, origin?: number): FlowModFailure[]
  /**
   * Carries out the flow-mods of a bundle, all or none: messages as they came from the wire, one behind the other.
   * @returns the one for which none was done
   */
  flowModBundle(bridge: string, messages: Uint8Array, origin?: number): FlowModFailure | undefined
  /** Removes all rules; those of a bridge without a controller that is to be a learning switch: all but one. */
  flowFlush(bridge: string, standalone: boolean): void
  /** One page of rules; `from` 0 begins a dump of those there are at the time. */
  flowStats(bridge: string, request: FlowStatsRequest, from: number): Page<FlowStats>
  /** Begins to report changes of rules by `flow-changes` events, of monitors by their ids. */
  flowMonitorPut(bridge: string, monitors: readonly FlowMonitorSpec[]): void
  flowMonitorDelete(bridge: string, ids: readonly number[]): void
  /**
   * One page of the rules that monitors are about, all (`since` 0) or those that have changed after the event
   * with that sequence number.
   */
  flowMonitorSnapshot(bridge: string, ids: readonly number[], since: number, from: number): FlowSnapshot
  /** Tunnel options: which of them is which tun_metadata. */
  tlvTableMod(bridge: string, mod: TlvTableMod): OfErrorName | undefined
  tlvTable(bridge: string): TlvTableReply
  aggregateStats(bridge: string, request: FlowStatsRequest): AggregateStats
  /** Tables 0 to 253. */
  tableStats(bridge: string): FlowTableStats[]
  tableMod(bridge: string, mod: TableMod): OfErrorName | undefined
  tableDesc(bridge: string): TableDesc[]
  flowTablePut(bridge: string, table: number, spec: FlowTableSpec): void
  /** Names tables as OpenFlow wants it. False, and nothing is changed: one has a name by `flowTablePut`. */
  tableNames(bridge: string, names: readonly { readonly table: number; readonly name: string }[]): boolean
}

export const OPENFLOW_COMMANDS = [
  'flowMod',
  'flowModBundle',
  'flowFlush',
  'flowStats',
  'flowMonitorPut',
  'flowMonitorDelete',
  'flowMonitorSnapshot',
  'tlvTableMod',
  'tlvTable',
  'aggregateStats',
  'tableStats',
  'tableMod',
  'tableDesc',
  'flowTablePut',
  'tableNames',
] as const satisfies readonly (keyof OpenflowCommands)[]
