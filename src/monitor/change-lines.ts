/** Changes of a database as lines of text, for output that is no terminal. */

import { equalDatums } from '../../protocols/ovsdb/datum.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'
import { rowLabel, valueText } from './table-view.ts'

/**
 * One line a row: `Open_vSwitch Port p1 modified tag: 3 → 5`.
 * @param before what names rows that are gone
 */
export function changeLines(
  before: Snapshot | undefined,
  after: Snapshot,
  changes: readonly RowChange[],
): string[] {
  return changes.map(
    (change) => `${after.schema.name} ${change.table} ${describe(before ?? after, after, change)}`,
  )
}

function describe(old: Snapshot, now: Snapshot, { table, before, after }: RowChange): string {
  const { schema, defaults } = now.tables.get(table)!
  const columns = [...schema.columns.values()]
  if (after === undefined) return `${rowLabel(before!)} deleted`
  const base = before?.columns ?? defaults
  const differing = columns.filter(({ name }) => !equalDatums(base[name], after.columns[name]))
  const parts = differing.map(({ name, type }) => {
    const value = valueText(after.columns[name], type, now)
    return before === undefined
      ? `${name}=${value}`
      : `${name}: ${valueText(before.columns[name], type, old)} → ${value}`
  })
  return [
    rowLabel(after),
    before === undefined ? 'inserted' : 'modified',
    parts.join(before === undefined ? ' ' : '; '),
  ]
    .join(' ')
    .trimEnd()
}
