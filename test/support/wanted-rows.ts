import type { Atom } from '../../protocols/ovsdb/atom.ts'
import { datumOf } from '../../protocols/ovsdb/datum.ts'
import type { Row } from '../../protocols/ovsdb/row.ts'
import { isReference, type WantedAtom, type WantedRow } from '../../src/vswitch/wanted-row.ts'

/** The rows as a database would hold them that had nothing else. */
export function stored(wanted: readonly WantedRow[]): Map<string, Map<string, Row>> {
  const uuids = new Map(wanted.map(({ key }, i) => [key, uuid(i)]))
  const atom = (a: WantedAtom): Atom => (isReference(a) ? uuids.get(a.row)! : a)
  const tables = new Map<string, Map<string, Row>>()
  for (const { key, table, columns } of wanted) {
    const row = {
      uuid: uuids.get(key)!,
      version: uuid(0),
      columns: Object.fromEntries(
        Object.entries(columns).map(([column, { keys, values }]) => [
          column,
          datumOf(keys.map(atom), values?.map(atom)),
        ]),
      ),
    }
    if (!tables.has(table)) tables.set(table, new Map())
    tables.get(table)!.set(row.uuid, row)
  }
  return tables
}

function uuid(number: number): string {
  return `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`
}
