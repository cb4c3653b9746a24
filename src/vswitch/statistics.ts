import type { PortStatus } from '../../engine/dpif.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import { statisticsOf } from './interface-status.ts'
import { DatabaseReader } from './row-reader.ts'
import type { RowStatus } from './row-status.ts'

/** What the counters of interfaces say. */
export function statisticsStatus(ovs: Snapshot, ports: ReadonlyMap<string, PortStatus>): RowStatus[] {
  const reader = new DatabaseReader(ovs)
  return reader.all('Port').flatMap((port) => {
    const known = ports.get(port.text('name'))
    if (known === undefined) return []
    return reader
      .follow(port, 'interfaces', 'Interface')
      .map(({ table, uuid }) => ({ table, uuid, columns: { statistics: statisticsOf(known) } }))
  })
}
