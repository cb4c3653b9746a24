/** Strong referential integrity (RFC 7047 §3.2, §4.1.3): counted, and garbage collected when the count is zero. */

import type { Atom } from './atom.ts'
import { isStrongRef } from './base-type.ts'
import type { Datum } from './datum.ts'
import { difference } from './datum-algebra.ts'
import { OvsdbError } from './error.ts'
import type { Row } from './row.ts'
import type { ColumnSchema } from './schema.ts'
import { mayDiffer, type TableEdit } from './table-edit.ts'
import type { Transaction } from './transaction.ts'
import type { Uuid } from './uuid.ts'

/** Throws when a reference leads to no row, or a row is deleted to which one leads. */
export function countStrongReferences(transaction: Transaction): void {
  for (const edit of transaction.edits()) {
    if (edit.touched.size === 0) continue
    for (const column of edit.table.strongColumns) {
      for (const touched of edit.touched.values()) {
        if (!mayDiffer(touched, column)) continue
        const { uuid, before, after } = touched
        const old = before?.columns[column.name]
        const now = after?.columns[column.name]
        if (old === now) continue
        const { added, removed } = differenceOf(old, now)
        if (removed !== undefined) forEachTarget(transaction, uuid, column, removed, release)
        if (added !== undefined) {
          forEachTarget(transaction, uuid, column, added, (target, to) => {
            if (!target.rows.has(to) && !target.touched.has(to))
              throw noSuchRow(edit, column, uuid, target, to)
            target.strongReferences.set(to, references(target, to) + 1)
          })
        }
      }
    }
  }
  for (const edit of transaction.edits()) {
    for (const { uuid, after } of edit.touched.values()) {
      if (after !== undefined) continue
      const left = references(edit, uuid)
      if (left > 0) {
        throw new OvsdbError(
          'referential integrity violation',
          `cannot delete ${edit.name} row ${uuid} because of ${left} remaining reference(s)`,
        )
      }
    }
  }
}

function noSuchRow(
  edit: TableEdit,
  column: ColumnSchema,
  from: Uuid,
  target: TableEdit,
  to: Uuid,
): OvsdbError {
  return new OvsdbError(
    'referential integrity violation',
    `Table ${edit.name} column ${column.name} row ${from} references nonexistent row ${to} in table ${target.name}.`,
  )
}

/** Deletes the rows to which no strong reference leads, and in turn those that only they referred to. */
export function collectGarbage(transaction: Transaction): void {
  const garbage: [TableEdit, Row][] = []
  const consider = (edit: TableEdit, uuid: Uuid) => {
    if (edit.table.schema.isRoot || references(edit, uuid) > 0) return
    const row = edit.rows.get(uuid)
    if (row !== undefined) garbage.push([edit, row])
  }
  for (const edit of transaction.edits()) {
    for (const uuid of edit.touched.keys()) consider(edit, uuid)
    for (const uuid of edit.released) consider(edit, uuid)
  }
  for (let next = garbage.pop(); next !== undefined; next = garbage.pop()) {
    const [edit, row] = next
    if (!edit.rows.has(row.uuid)) continue
    edit.delete(row.uuid)
    for (const column of edit.table.strongColumns) {
      forEachTarget(transaction, row.uuid, column, row.columns[column.name], (target, to) => {
        release(target, to)
        consider(target, to)
      })
    }
  }
}

function references(edit: TableEdit, uuid: Uuid): number {
  return edit.strongReferences.get(uuid) ?? 0
}

function release(target: TableEdit, uuid: Uuid): void {
  const left = references(target, uuid) - 1
  if (left > 0) {
    target.strongReferences.set(uuid, left)
  } else {
    target.strongReferences.delete(uuid)
    target.released.add(uuid)
  }
}

function differenceOf(
  before: Datum | undefined,
  after: Datum | undefined,
): { added?: Datum; removed?: Datum } {
  if (before === undefined) return after === undefined ? {} : { added: after }
  return after === undefined ? { removed: before } : difference(before, after)
}

/** Every row that the datum refers to strongly, each time; a row's references to itself do not count. */
function forEachTarget(
  transaction: Transaction,
  from: Uuid,
  { type }: ColumnSchema,
  datum: Datum,
  visit: (target: TableEdit, to: Uuid) => void,
): void {
  const follow = (table: string, atoms: readonly Atom[]) => {
    if (atoms.length === 0) return
    const target = transaction.edit(table)
    for (const to of atoms as readonly Uuid[]) if (to !== from) visit(target, to)
  }
  if (isStrongRef(type.key)) follow(type.key.refTable!, datum.keys)
  if (isStrongRef(type.value)) follow(type.value!.refTable!, datum.values ?? [])
}
