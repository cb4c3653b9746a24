/**
 * The commands of the door that concern flow tables, carried out on a datapath.
 */
import type { OfErrorName } from '../protocols/openflow/error.ts'
import type { FlowMod } from '../protocols/openflow/flow-mod.ts'
import type { AggregateStats, FlowStats, FlowStatsRequest } from '../protocols/openflow/flow-stats.ts'
import type { TableDesc, TableMod } from '../protocols/openflow/table-mod.ts'
import type { TlvTableMod, TlvTableReply } from '../protocols/openflow/tlv-table.ts'
import type { Datapath } from './datapath.ts'
import { DpifError, type Page } from './dpif.ts'
import type { FlowTableSpec, FlowTableStats, OpenflowCommands } from './dpif-openflow.ts'
import { EvictionGroups } from './ofproto/eviction-groups.ts'
import { aggregate, FlowDumps, flowStatsOf, selectRules } from './ofproto/flow-dump.ts'
import { applyFlowMods, type FlowModFailure } from './ofproto/flow-mod.ts'
import { type FlowMonitorSpec, FlowMonitors, type FlowSnapshot } from './ofproto/flow-monitor.ts'
import type { FlowTables } from './ofproto/flow-tables.ts'
import type { Rule } from './ofproto/rule.ts'
import { applyTableMod, describeTable } from './ofproto/table-mod.ts'
import { TABLE_INTERNAL } from './ofproto/table-numbers.ts'
import { optionUsed } from './ofproto/tlv-use.ts'
import type { Bridge } from './ofproto/topology.ts'
import { WireFlowMods } from './ofproto/wire-flow-mods.ts'

/** Rows in one page of a dump. */
const PAGE = 1000

export class FlowTableCommands implements OpenflowCommands {
  readonly #dp: Datapath
  readonly #dumps = new FlowDumps()
  readonly #wire = new WireFlowMods()

  constructor(dp: Datapath) {
    this.#dp = dp
  }

  flowMod(bridge: string, mods: readonly FlowMod[], atomic: boolean, origin = 0): FlowModFailure[] {
    return applyFlowMods(this.#named(bridge).tables, mods, atomic, this.#dp.now, origin)
  }

  flowModBundle(bridge: string, messages: Uint8Array, origin = 0): FlowModFailure | undefined {
    return this.#wire.bundle(this.#named(bridge).tables, messages, this.#dp.now, origin)
  }

  flowFlush(bridge: string, standalone: boolean): void {
    const { tables } = this.#named(bridge)
    tables.flush()
    if (standalone) tables.addNormal(this.#dp.now)
  }

  flowStats(bridge: string, request: FlowStatsRequest, from: number): Page<FlowStats> {
    const { tables } = this.#named(bridge)
    if (from === 0) {
      this.#dp.flows.credit()
      from = this.#dumps.begin(this.#select(tables, request))
    }
    return this.#dumps.read(from, PAGE, (rule) => {
      const stats = flowStatsOf(rule, this.#dp.now)
      const match = tables.tlv.asOptions(stats.match)
      return match === stats.match ? stats : { ...stats, match }
    })
  }

  flowMonitorPut(name: string, specs: readonly FlowMonitorSpec[]): void {
    const bridge = this.#named(name)
    bridge.tables.monitors ??= new FlowMonitors(bridge.tables.tlv, (changes) =>
      this.#dp.emit({ type: 'flow-changes', bridge: name, ...changes }),
    )
    for (const spec of specs) {
      const match = bridge.tables.tlv.inWords(spec.match)
      // An option that no rule can name is in none that could be reported.
      if (typeof match !== 'string') bridge.tables.monitors.put({ ...spec, match })
    }
  }

  flowMonitorDelete(bridge: string, ids: readonly number[]): void {
    const { tables } = this.#named(bridge)
    for (const id of ids) tables.monitors?.delete(id)
    if (tables.monitors?.size === 0) tables.monitors = undefined
  }

  flowMonitorSnapshot(bridge: string, ids: readonly number[], since: number, from: number): FlowSnapshot {
    const { tables } = this.#named(bridge)
    const { monitors } = tables
    if (monitors === undefined) return { rows: [], next: undefined, sequence: 0 }
    const begin = from === 0 ? this.#dumps.begin(monitors.rules(tables, ids)) : from
    const page = this.#dumps.read(begin, PAGE, (rule) => monitors.describeSince(rule, ids, since))
    return { ...page, sequence: monitors.sequence }
  }

  tlvTableMod(bridge: string, mod: TlvTableMod): OfErrorName | undefined {
    const { tables } = this.#named(bridge)
    return tables.tlv.modify(mod, (index) => optionUsed(tables, index))
  }

  tlvTable(bridge: string): TlvTableReply {
    return this.#named(bridge).tables.tlv.describe()
  }

  aggregateStats(bridge: string, request: FlowStatsRequest): AggregateStats {
    const { tables } = this.#named(bridge)
    this.#dp.flows.credit()
    return aggregate(this.#select(tables, request))
  }

  tableStats(bridge: string): FlowTableStats[] {
    const { tables } = this.#named(bridge)
    this.#dp.flows.credit()
    return Array.from({ length: TABLE_INTERNAL }, (_, id) => {
      const { classifier, matched, missed, config } = tables.table(id)
      return {
        table: id,
        name: config.name,
        maxFlows: config.maxFlows,
        miss: config.miss,
        activeCount: classifier.size,
        lookupCount: matched.packets + missed.packets,
        matchedCount: matched.packets,
      }
    })
  }

  tableMod(bridge: string, mod: TableMod): OfErrorName | undefined {
    return applyTableMod(this.#named(bridge).tables, mod)
  }

  tableDesc(bridge: string): TableDesc[] {
    const { tables } = this.#named(bridge)
    return Array.from({ length: TABLE_INTERNAL }, (_, id) => describeTable(tables.table(id)))
  }

  flowTablePut(bridge: string, id: number, spec: FlowTableSpec): void {
    const { tables } = this.#named(bridge)
    if (!(id >= 0 && id < TABLE_INTERNAL)) throw new DpifError('EINVAL', `table ${id} is not from 0 to 253`)
    const table = tables.table(id)
    const { config } = table
    const hasName = spec.name !== ''
    // A name that OpenFlow gave stays while no other is given.
    const name = hasName || config.nameIsGiven ? spec.name : config.name
    const { maxFlows, eviction: overflowEvicts } = spec
    const groups = new EvictionGroups(spec.groups ?? [])
    table.config = { ...config, maxFlows, overflowEvicts, groups, name, nameIsGiven: hasName }
    tables.makeRoom(table)
  }

  tableNames(bridge: string, names: readonly { readonly table: number; readonly name: string }[]): boolean {
    const { tables } = this.#named(bridge)
    for (const { table, name } of names) {
      const { config } = tables.table(table)
      if (config.nameIsGiven && config.name !== name) return false
    }
    for (const { table: id, name } of names) {
      const table = tables.table(id)
      table.config = { ...table.config, name }
    }
    return true
  }

  /** Rules that a client asks about, none if it names an option that there is not. */
  #select(tables: FlowTables, request: FlowStatsRequest): Rule[] {
    const match = tables.tlv.inWords(request.match)
    return typeof match === 'string' ? [] : selectRules(tables, { ...request, match })
  }

  #named(name: string): Bridge {
    const bridge = this.#dp.topology.bridges.get(name)
    if (bridge === undefined) throw new DpifError('ENOENT', `no bridge ${name}`)
    return bridge
  }
}
