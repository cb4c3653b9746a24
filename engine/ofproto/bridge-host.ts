/** What a bridge's groups and meters ask of the rest of it. */
import type { Random } from '../../protocols/random.ts'
import type { BridgeSpec } from '../dpif.ts'
import type { Fdb } from '../tables/fdb.ts'
import { Bundle } from './bundle.ts'
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
  readonly random: Random
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
  const groups = new GroupTable(index, host)
  tables.targets = {
    groupExists: (id) => groups.get(id) !== undefined,
    meterExists: (id) => meters.get(id) !== undefined,
  }
  const uuid = new Uint8Array(Uint32Array.from({ length: 4 }, () => home.random()).buffer)
  return new Bridge(spec, index, fdb, tables, groups, meters, uuid)
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

  meterDeleted(meter: number): void {
    const tables = this.#bridge?.tables
    if (tables === undefined) return
    const bundle = new Bundle(tables)
    for (const rule of tables.uses.ofMeter(meter)) bundle.remove(rule, 'meter_delete')
    bundle.commit()
  }

  get #bridge(): Bridge | undefined {
    return this.#home.topology.bridgesByIndex[this.#index]
  }
}
