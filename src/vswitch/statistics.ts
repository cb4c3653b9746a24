import type { PortStatus } from '../../engine/dpif.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import { statisticsOf } from './interface-status.ts'
import { DatabaseReader } from './row-reader.ts'
import { datum, type RowStatus } from './row-status.ts'
import { systemStatistics } from './system-statistics.ts'
import { wordsOf } from './wanted-row.ts'

/** What the counters of interfaces say, and the machine, if that is wanted. */
export function statisticsStatus(ovs: Snapshot, ports: ReadonlyMap<string, PortStatus>): RowStatus[] {
  const reader = new DatabaseReader(ovs)
  const root = reader.root('Open_vSwitch')
  const wanted = root?.words('other_config').get('enable-statistics') === 'true'
  const ofMachine = datum(wordsOf(wanted ? systemStatistics() : {}))
  const machine =
    root === undefined ? [] : [{ table: root.table, uuid: root.uuid, columns: { statistics: ofMachine } }]
  const interfaces = reader.all('Port').flatMap((port) => {
    const known = ports.get(port.text('name'))
    if (known === undefined) return []
    return reader
      .follow(port, 'interfaces', 'Interface')
      .map(({ table, uuid }) => ({ table, uuid, columns: { statistics: statisticsOf(known) } }))
  })
  return [...machine, ...interfaces]
}
