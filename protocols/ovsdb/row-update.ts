/** <row-update> of RFC 7047 §4.1.6 and <row-update2> of ovsdb-server(7), "update2". */

import { matchesAny } from './condition.ts'
import { equalDatums } from './datum.ts'
import { diffOf } from './datum-algebra.ts'
import { datumToJson } from './datum-json.ts'
import type { Json } from './json-text.ts'
import { DELETE, INITIAL, INSERT, MODIFY, type MonitoredTable } from './monitor-request.ts'
import { cell, type Row } from './row.ts'

/** What happened, and to whom it is told: `before` or `after` is undefined where the client sees, or saw, no row. */
export interface Seen {
  readonly before: Row | undefined
  readonly after: Row | undefined
}

/** The rows as far as they meet the conditions, which may have changed in between. */
export function seenThrough(
  before: Row | undefined,
  after: Row | undefined,
  past: MonitoredTable,
  present: MonitoredTable,
): Seen {
  return {
    before: before !== undefined && matchesAny(past.condition, before) ? before : undefined,
    after: after !== undefined && matchesAny(present.condition, after) ? after : undefined,
  }
}

/** Undefined when there is nothing to tell. */
export type RowUpdate = (table: MonitoredTable, seen: Seen, initial: boolean) => Json | undefined

function kindOf({ before, after }: Seen, initial: boolean): number {
  if (after === undefined) return before === undefined ? 0 : DELETE
  if (initial) return INITIAL
  return before === undefined ? INSERT : MODIFY
}

export const rowUpdate: RowUpdate = (table, seen, initial) => {
  const kind = kindOf(seen, initial)
  if ((table.select & kind) === 0) return undefined
  const before = kind & (DELETE | MODIFY) ? seen.before : undefined
  const { after } = seen
  let changed = kind !== MODIFY
  const old: Record<string, Json> = {}
  const now: Record<string, Json> = {}
  for (const { column, select } of table.columns) {
    const was = before === undefined ? undefined : cell(before, column)
    const is = after === undefined ? undefined : cell(after, column)
    const differs = was === undefined || is === undefined || !equalDatums(was, is)
    changed ||= differs
    if ((select & kind) === 0) continue
    if (was !== undefined && differs) old[column.name] = datumToJson(was, column.type)
    if (is !== undefined) now[column.name] = datumToJson(is, column.type)
  }
  if (!changed) return undefined
  return { ...(before === undefined ? {} : { old }), ...(after === undefined ? {} : { new: now }) }
}

/** Without the columns that hold their default, and with differences instead of old and new values. */
export const rowUpdate2: RowUpdate = (table, seen, initial) => {
  const kind = kindOf(seen, initial)
  const { before, after } = seen
  if ((table.select & kind) === 0) return undefined
  if (after === undefined) return { delete: null }
  const modifies = kind === MODIFY && before !== undefined
  let changed = !modifies
  const columns: Record<string, Json> = {}
  for (const { column, defaultValue, select } of table.columns) {
    const is = cell(after, column)
    const was = modifies ? cell(before, column) : defaultValue
    if (equalDatums(was, is)) continue
    changed = true
    if ((select & kind) === 0) continue
    columns[column.name] = datumToJson(modifies ? diffOf(was, is, column.type) : is, column.type)
  }
  if (!changed) return undefined
  return { [kind === INITIAL ? 'initial' : modifies ? 'modify' : 'insert']: columns }
}
