import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { Row, RowChange } from '../../protocols/ovsdb/row.ts'
import { DatabaseReader, type RowReader } from './row-reader.ts'

/** Which row of the table Port a name means: that of the port, or of one of its interfaces. */
export class PortIndex {
  readonly #byName = new Map<string, string>()

  /** @param ovs as it is after these changes */
  note(ovs: Snapshot, changes: readonly RowChange[]): void {
    for (const { table, before, after } of changes) {
      if (table !== 'Port' && table !== 'Interface') continue
      if (before !== undefined && after === undefined) this.#byName.delete(nameOf(before))
    }
    const interfaces = ovs.tables.get('Interface')?.rows
    for (const { table, after } of changes) {
      if (table !== 'Port' || after === undefined) continue
      for (const uuid of after.columns['interfaces']!.keys) {
        const row = interfaces?.get(uuid as string)
        if (row !== undefined) this.#byName.set(nameOf(row), after.uuid)
      }
      this.#byName.set(nameOf(after), after.uuid)
    }
  }

  /** Each once; names that mean nothing are passed over. */
  find(rows: DatabaseReader, names: Iterable<string>): RowReader[] {
    const uuids = new Set<string>()
    for (const name of names) {
      const uuid = this.#byName.get(name)
      if (uuid !== undefined) uuids.add(uuid)
    }
    return [...uuids].flatMap((uuid) => rows.get('Port', uuid) ?? [])
  }

  /** Names of the ports, and of their interfaces, that any of these mean. */
  meant(ovs: Snapshot, names: Iterable<string>): { ports: string[]; devices: string[] } {
    const reader = new DatabaseReader(ovs)
    const rows = this.find(reader, names)
    return {
      ports: rows.map((port) => port.text('name')),
      devices: rows.flatMap((port) =>
        reader.follow(port, 'interfaces', 'Interface').map((iface) => iface.text('name')),
      ),
    }
  }

  /** All that mean something. */
  names(): string[] {
    return [...this.#byName.keys()]
  }
}

function nameOf({ columns }: Row): string {
  return columns['name']!.keys[0] as string
}
