import type { Dpif, PortCountersPage } from '../../engine/dpif.ts'
import { STAT_NAMES } from '../../engine/netdev/netdev.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { PortIndex } from './port-index.ts'
import { DatabaseReader } from './row-reader.ts'
import { datum, type RowStatus } from './row-status.ts'
import { systemStatistics } from './system-statistics.ts'
import { wordsOf } from './wanted-row.ts'

/** What the machine says of itself, if that is wanted. */
export function machineStatistics(ovs: Snapshot): RowStatus[] {
  const root = new DatabaseReader(ovs).root('Open_vSwitch')
  if (root === undefined) return []
  const wanted = root.words('other_config').get('enable-statistics') === 'true'
  const statistics = datum(wordsOf(wanted ? systemStatistics() : {}))
  return [{ table: root.table, uuid: root.uuid, columns: { statistics } }]
}

/** Counters of ports: those are told that are not what they were. */
export class PortCounters {
  /** By port, what was told last; only of ports that have counted something. */
  #told = new Map<string, Float64Array>()

  async changes(dpif: Pick<Dpif, 'portCounters'>): Promise<Map<string, Float64Array>> {
    const before = this.#told
    const changed = new Map<string, Float64Array>()
    this.#told = new Map()
    for (let from: number | undefined = 0; from !== undefined; ) {
      const { names, counters, next }: PortCountersPage = await dpif.portCounters(from)
      for (const [i, name] of names.entries()) {
        const now = counters.subarray(i * STAT_NAMES.length, (i + 1) * STAT_NAMES.length)
        const known = before.get(name)
        if (known === undefined ? now.some((count) => count !== 0) : !sameCounters(known, now)) {
          const copy = now.slice()
          changed.set(name, copy)
          this.#told.set(name, copy)
        } else if (known !== undefined) this.#told.set(name, known)
      }
      from = next
    }
    return changed
  }
}

/** In the names of Open vSwitch, which are ours. */
export function countersStatus(
  ovs: Snapshot,
  rows: PortIndex,
  changed: ReadonlyMap<string, Float64Array>,
): RowStatus[] {
  const reader = new DatabaseReader(ovs)
  return rows.find(reader, changed.keys()).flatMap((port) => {
    const counters = changed.get(port.text('name'))
    if (counters === undefined) return []
    const statistics = datum({ keys: STAT_NAMES, values: [...counters] })
    return reader
      .follow(port, 'interfaces', 'Interface')
      .map(({ table, uuid }) => ({ table, uuid, columns: { statistics } }))
  })
}

function sameCounters(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
