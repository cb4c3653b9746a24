/** Weak references (RFC 7047 §3.2): those to rows that do not exist are dropped when a transaction ends. */

import type { Atom } from './atom.ts'
import { isWeakRef } from './base-type.ts'
import { sourceKey, sourceOf } from './database.ts'
import type { Datum } from './datum.ts'
import { difference, filter } from './datum-algebra.ts'
import { constraintViolation, type OvsdbError } from './error.ts'
import { type MapEdit, PersistentMap } from './persistent-map.ts'
import type { Row } from './row.ts'
import type { ColumnSchema } from './schema.ts'
import { mayDiffer, type TableEdit } from './table-edit.ts'
import type { Transaction } from './transaction.ts'
import { type Uuid, ZERO_UUID } from './uuid.ts'

/** Throws when too few elements are left in a column. */
export function dropDanglingReferences(transaction: Transaction): void {
  touchSourcesOfDeleted(transaction)
  for (const edit of transaction.edits()) {
    if (edit.touched.size === 0) continue
    for (const column of edit.table.weakColumns) {
      const rowsWentAway = targets(column).some((table) => hasDeleted(transaction.edited(table)))
      for (const touched of edit.touched.values()) {
        const { before, after } = touched
        if (after === undefined) continue
        if (rowsWentAway || mayDiffer(touched, column)) dropDangling(transaction, edit, column, before, after)
      }
    }
  }
}

function targets({ type }: ColumnSchema): string[] {
  return [type.key, type.value].flatMap((base) => (isWeakRef(base) ? base!.refTable! : []))
}

function hasDeleted(edit: TableEdit | undefined): boolean {
  if (edit === undefined) return false
  for (const { after } of edit.touched.values()) if (after === undefined) return true
  return false
}

function touchSourcesOfDeleted(transaction: Transaction): void {
  for (const edit of transaction.edits()) {
    if (edit.table.weakSources.size === 0) continue
    for (const { uuid, after } of edit.touched.values()) {
      if (after !== undefined) continue
      edit.table.weakSources.get(uuid)?.forEach((_times, key) => {
        const source = sourceOf(key)
        const sourceEdit = transaction.edit(source.table)
        if (sourceEdit.rows.has(source.uuid)) sourceEdit.touch(source.uuid)
      })
    }
  }
}

function dropDangling(
  transaction: Transaction,
  edit: TableEdit,
  column: ColumnSchema,
  before: Row | undefined,
  after: Row,
): void {
  const { type, name } = column
  const given = after.columns[name]
  const exists = (table: string, uuid: Atom) => transaction.edit(table).rows.has(uuid as Uuid)
  const kept = filter(
    given,
    (key, value) =>
      (!isWeakRef(type.key) || exists(type.key.refTable!, key)) &&
      (!isWeakRef(type.value) || exists(type.value!.refTable!, value!)),
  )
  const lost = given.keys.length - kept.keys.length
  if (lost === 0) return
  if (kept.keys.length < type.min) throw emptied(edit, column, given, lost, after.uuid, before === undefined)
  edit.modify(after, { [name]: kept })
}

function emptied(
  edit: TableEdit,
  column: ColumnSchema,
  given: Datum,
  lost: number,
  uuid: Uuid,
  inserted: boolean,
): OvsdbError {
  const atoms = [...(isWeakRef(column.type.key) ? given.keys : []), ...(given.values ?? [])]
  if (inserted && atoms.includes(ZERO_UUID)) {
    return constraintViolation(
      `Weak reference column "${column.name}" in "${edit.name}" row ${uuid} (inserted within this transaction) contained all-zeros UUID (probably as the default value for this column) but deleting this value caused a constraint volation because this column is not allowed to be empty.`,
    )
  }
  return constraintViolation(
    `Deletion of ${lost} weak reference(s) to deleted (or never-existing) rows from column "${column.name}" in "${edit.name}" row ${uuid} ${inserted ? '(inserted within this transaction) ' : ''}caused this column to become empty, but constraints on this column disallow an empty column.`,
  )
}

/** The next `weakSources` of the tables that have other ones now. */
export function editWeakSources(
  transaction: Transaction,
): ReadonlyMap<string, MapEdit<PersistentMap<number>>> {
  const edits = new Map<string, MapEdit<PersistentMap<number>>>()
  const sourcesOf = (table: string) => {
    const known = edits.get(table)
    if (known !== undefined) return known
    const edit = transaction.edit(table).table.weakSources.edit()
    edits.set(table, edit)
    return edit
  }
  const count = (table: string, atoms: readonly Atom[], source: string, by: number) => {
    for (const to of atoms as readonly Uuid[]) {
      const sources = sourcesOf(table)
      const known = sources.get(to) ?? PersistentMap.empty<number>()
      const times = (known.get(source) ?? 0) + by
      const next = times > 0 ? known.with(source, times) : known.without(source)
      if (next.size > 0) sources.set(to, next)
      else sources.delete(to)
    }
  }
  for (const edit of transaction.edits()) {
    for (const column of edit.table.weakColumns) {
      const { name, type } = column
      const none: Datum = type.value === undefined ? { keys: [] } : { keys: [], values: [] }
      for (const touched of edit.touched.values()) {
        if (!mayDiffer(touched, column)) continue
        const { uuid, before, after } = touched
        const old = before?.columns[name] ?? none
        const now = after?.columns[name] ?? none
        if (old === now) continue
        const source = sourceKey(edit.name, uuid)
        const { added, removed } = difference(old, now)
        for (const [datum, by] of [
          [removed, -1],
          [added, 1],
        ] as const) {
          if (isWeakRef(type.key)) count(type.key.refTable!, datum.keys, source, by)
          if (isWeakRef(type.value)) count(type.value!.refTable!, datum.values ?? [], source, by)
        }
      }
    }
  }
  return edits
}
