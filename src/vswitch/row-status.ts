import type { Atom } from '../../protocols/ovsdb/atom.ts'
import { type Datum, datumOf, equalDatums } from '../../protocols/ovsdb/datum.ts'
import type { Json, JsonObject } from '../../protocols/ovsdb/json-text.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { Wanted } from './wanted-row.ts'

/** What is to stand in columns of a row that tell what is, not what is wanted. */
export interface RowStatus {
  readonly table: string
  readonly uuid: string
  /** Without references. */
  readonly columns: Readonly<Record<string, Datum>>
}

/** The updates of what differs. */
export function statusOperations(database: Snapshot, rows: readonly RowStatus[]): JsonObject[] {
  return rows.flatMap(({ table, uuid, columns }): JsonObject[] => {
    const row = database.tables.get(table)?.rows.get(uuid)
    if (row === undefined) return []
    const changed = Object.entries(columns).filter(
      ([column, datum]) => row.columns[column] !== undefined && !equalDatums(row.columns[column], datum),
    )
    if (changed.length === 0) return []
    const values = Object.fromEntries(changed.map(([column, datum]) => [column, datumJson(datum)]))
    return [{ op: 'update', table, where: [['_uuid', '==', ['uuid', uuid]]], row: values }]
  })
}

function datumJson({ keys, values }: Datum): Json {
  if (values !== undefined) return ['map', keys.map((key, i) => [key, values[i]!])]
  return keys.length === 1 ? keys[0]! : ['set', keys]
}

/** Of values without references. */
export function datum({ keys, values }: Wanted): Datum {
  return datumOf(keys as readonly Atom[], values as readonly Atom[] | undefined)
}
