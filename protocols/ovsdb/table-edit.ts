import { type Condition, matchesEvery, valueAskedFor } from './condition.ts'
import { indexKey, rowKey, type Table, type UniqueIndex } from './database.ts'
import { type Datum, equalDatums } from './datum.ts'
import type { MapEdit } from './persistent-map.ts'
import type { Row } from './row.ts'
import type { ColumnSchema } from './schema.ts'
import type { Uuid } from './uuid.ts'

/** A row that a transaction has to do with. Without `before` it is new, without `after` it is deleted. */
export interface TouchedRow {
  readonly uuid: Uuid
  readonly before: Row | undefined
  after: Row | undefined
  /** Columns that were given values since `before`; the others are as they were, or have their defaults. */
  readonly written: string[]
}

/** Whether a row may have another value in a column than before; a new row, than nothing. */
export function mayDiffer({ before, after, written }: TouchedRow, { name, type }: ColumnSchema): boolean {
  if (after === undefined || written.includes(name)) return true
  // What is given no value is empty where that is allowed.
  return before === undefined && type.min > 0
}

/** One table within a transaction: as it was, and as it is becoming. */
export class TableEdit {
  readonly table: Table
  readonly rows: MapEdit<Row>
  readonly strongReferences: MapEdit<number>
  readonly touched = new Map<Uuid, TouchedRow>()
  /** Rows to which no strong reference leads any more. */
  readonly released = new Set<Uuid>()
  /** For each unique index that was asked: the rows touched, by every key that they had meanwhile. */
  readonly #touchedByKey = new Map<UniqueIndex, Map<string, Set<Uuid>>>()

  constructor(table: Table) {
    this.table = table
    this.rows = table.rows.edit()
    this.strongReferences = table.strongReferences.edit()
  }

  get name(): string {
    return this.table.schema.name
  }

  /** A row with these columns, and the defaults of the others, that may be inserted. */
  newRow(uuid: Uuid, version: Uuid, columns: Readonly<Record<string, Datum>>): Row {
    return { uuid, version, columns: { ...this.table.defaults, ...columns } }
  }

  /** @param written the columns that were given values */
  insert(row: Row, written: string[]): void {
    this.touched.set(row.uuid, { uuid: row.uuid, before: undefined, after: row, written })
    this.#store(row)
  }

  /** The row with these columns in place of its own; versions change when the transaction ends. */
  modify(row: Row, columns: Readonly<Record<string, Datum>>): void {
    const names = Object.keys(columns).filter((name) => !equalDatums(row.columns[name], columns[name]))
    if (names.length === 0) return
    const touched = this.touch(row.uuid)
    for (const name of names) if (!touched.written.includes(name)) touched.written.push(name)
    this.#replace(touched, { ...row, columns: { ...row.columns, ...columns } })
  }

  /** The row that a touched one has become, as of this version. */
  renew(touched: TouchedRow, version: Uuid): void {
    this.#replace(touched, { ...touched.after!, version })
  }

  #replace(touched: TouchedRow, row: Row): void {
    touched.after = row
    this.#store(row)
  }

  delete(uuid: Uuid): void {
    const touched = this.touch(uuid)
    touched.after = undefined
    // What came and went within the transaction was never there, and may come again.
    if (touched.before === undefined) this.touched.delete(uuid)
    this.rows.delete(uuid)
  }

  /** Takes note of a row that exists. */
  touch(uuid: Uuid): TouchedRow {
    const known = this.touched.get(uuid)
    if (known !== undefined) return known
    const row = this.rows.get(uuid)
    const touched = { uuid, before: row, after: row, written: [] }
    this.touched.set(uuid, touched)
    return touched
  }

  /** Forgets that a row was touched which is as it was. */
  forget({ uuid, before }: TouchedRow): void {
    this.touched.delete(uuid)
    if (before !== undefined) this.rows.set(uuid, before)
  }

  /** The rows that meet every clause, found by UUID or by a unique index where the condition allows it. */
  matching(condition: Condition): Row[] {
    return this.#candidates(condition).filter((row) => matchesEvery(condition, row))
  }

  #candidates(condition: Condition): Row[] {
    const uuid = valueAskedFor(condition, '_uuid')
    if (uuid !== undefined) return this.#existing([uuid.keys[0] as Uuid])
    for (const index of this.table.indexes) {
      const values = index.columns.map((column) => valueAskedFor(condition, column.name))
      if (values.every((value) => value !== undefined)) return this.#byIndex(index, values as Datum[])
    }
    return this.rows.values()
  }

  #byIndex(index: UniqueIndex, values: readonly Datum[]): Row[] {
    const key = indexKey(values, index.columns)
    const known = index.rows.get(key)
    if (this.touched.size === 0) return known === undefined ? [] : this.#existing([known])
    const uuids = new Set(this.#touchedRows(index).get(key))
    if (known !== undefined) uuids.add(known)
    return this.#existing([...uuids])
  }

  #existing(uuids: readonly Uuid[]): Row[] {
    const rows: Row[] = []
    for (const uuid of uuids) {
      const row = this.rows.get(uuid)
      if (row !== undefined) rows.push(row)
    }
    return rows
  }

  #touchedRows(index: UniqueIndex): Map<string, Set<Uuid>> {
    const known = this.#touchedByKey.get(index)
    if (known !== undefined) return known
    const byKey = new Map<string, Set<Uuid>>()
    this.#touchedByKey.set(index, byKey)
    for (const { after } of this.touched.values()) if (after !== undefined) note(byKey, index, after)
    return byKey
  }

  #store(row: Row): void {
    this.rows.set(row.uuid, row)
    for (const [index, byKey] of this.#touchedByKey) note(byKey, index, row)
  }
}

function note(byKey: Map<string, Set<Uuid>>, index: UniqueIndex, row: Row): void {
  const key = rowKey(row, index.columns)
  const uuids = byKey.get(key)
  if (uuids === undefined) byKey.set(key, new Set([row.uuid]))
  else uuids.add(row.uuid)
}
