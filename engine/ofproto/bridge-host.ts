/** What a bridge's groups and meters ask of the rest of it. */
import type { OfAction } from '../../protocols/openflow/action.ts'
import type { BridgeSpec } from '../dpif.ts'
import type { Fdb } from '../tables/fdb.ts'
import type { FlowTables } from './flow-tables.ts'
import { type GroupHost, GroupTable } from './group-table.ts'
import type { MeterRuntime } from './meter-runtime.ts'
import { type MeterHost, MeterTable } from './meter-table.ts'
import type { TagListener } from './tags.ts'
import { Bridge, type Topology } from './topology.ts'

/** The datapath a bridge lives in. */
export interface BridgeHome extends TagListener {
  readonly topology: Topology
  readonly meters: MeterRuntime
}

/** A bridge without ports, groups or meters. */
export function newBridge(
  home: BridgeHome,
  spec: BridgeSpec,
  index: number,
  fdb: Fdb,
  tables: FlowTables,
): Bridge {
  const host = new BridgeHost(home, index)
  const meters = new MeterTable(index, home.meters, host)
  return new Bridge(spec, index, fdb, tables, new GroupTable(index, host), meters)
}

export class BridgeHost implements GroupHost, MeterHost {
  readonly #home: BridgeHome
  readonly #index: number

  constructor(home: BridgeHome, index: number) {
    this.#home = home
    this.#index = index
  }

  touch(tag: number): void {
    this.#home.touch(tag)
  }

  portLive(ofport: number): boolean {
    return this.#bridge?.portByNumber(ofport)?.live === true
  }

  groupDeleted(group: number): void {
    this.#removeRules((a) => a.type === 'group' && a.group === group, 'group_delete')
  }

  meterDeleted(meter: number): void {
    this.#removeRules((a) => a.type === 'meter' && a.meter === meter, 'meter_delete')
  }

  get #bridge(): Bridge | undefined {
    return this.#home.topology.bridgesByIndex[this.#index]
  }

  #removeRules(uses: (action: OfAction) => boolean, reason: 'group_delete' | 'meter_delete'): void {
    const tables = this.#bridge?.tables
    if (tables === undefined) return
    const anywhere = (actions: readonly OfAction[]): boolean =>
      actions.some(
        (a) => uses(a) || ((a.type === 'write_actions' || a.type === 'clone') && anywhere(a.actions)),
      )
    for (const table of tables.used()) {
      for (const rule of [...table.classifier.rules()]) {
        if (!anywhere(rule.actions)) continue
        const match = rule.miniMatch
        tables.remove(rule)
        tables.removed(rule, match, reason)
      }
    }
  }
}
