/**
 * A transaction in the making on top of a database as it is known: what commands write they read back, and in the end
 * it is one list of operations. Each column that a decision was based on is noted, and the transaction demands that it
 * still is so; if not, all is done again on what the database has become (as the IDL of Open vSwitch does).
 */

import type { ColumnType } from '../../protocols/ovsdb/column-type.ts'
import { type Datum, equalDatums } from '../../protocols/ovsdb/datum.ts'
import { datumToJson } from '../../protocols/ovsdb/datum-json.ts'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import type { Snapshot, SnapshotTable } from '../../protocols/ovsdb/replica.ts'
import type { ColumnSchema, TableSchema } from '../../protocols/ovsdb/schema.ts'
import type { Uuid } from '../../protocols/ovsdb/uuid.ts'

/** A row as the draft has it. */
export class DraftRow {
  readonly table: TableSchema
  readonly uuid: Uuid
  /** As the database has it; undefined of a new row. */
  readonly before: Readonly<Record<string, Datum>> | undefined
  columns: Readonly<Record<string, Datum>>
  readonly verified = new Set<string>()
  deleted = false
  /** Whether a new row is to have this very UUID. */
  readonly keepsUuid: boolean

  constructor(
    table: TableSchema,
    uuid: Uuid,
    columns: Readonly<Record<string, Datum>>,
    before: Readonly<Record<string, Datum>> | undefined,
    keepsUuid = false,
  ) {
    this.table = table
    this.uuid = uuid
    this.columns = columns
    this.before = before
    this.keepsUuid = keepsUuid
  }

  get(column: string): Datum {
    return this.columns[column]
  }

  set(column: string, datum: Datum): void {
    this.columns = { ...this.columns, [column]: datum }
  }

  /** Notes that a decision depends on what the column is. */
  verify(column: string): void {
    if (this.before !== undefined) this.verified.add(column)
  }
}

export class Draft {
  readonly snapshot: Snapshot
  readonly #newUuid: () => Uuid
  /** Rows that commands have seen, by table and UUID; new ones among them. */
  readonly #rows = new Map<string, Map<Uuid, DraftRow>>()
  readonly #comments: string[] = []
  #increment: { readonly row: DraftRow; readonly column: string } | undefined

  constructor(snapshot: Snapshot, newUuid: () => Uuid) {
    this.snapshot = snapshot
    this.#newUuid = newUuid
  }

  table(name: string): SnapshotTable {
    return this.snapshot.tables.get(name)!
  }

  /** Undefined when there is no such row, or no longer. */
  row(table: string, uuid: Uuid): DraftRow | undefined {
    const known = this.#touched(table).get(uuid)
    if (known !== undefined) return known.deleted ? undefined : known
    const { schema, rows } = this.table(table)
    const row = rows.get(uuid)
    if (row === undefined) return undefined
    const draft = new DraftRow(schema, uuid, row.columns, row.columns)
    this.#touched(table).set(uuid, draft)
    return draft
  }

  /** None of a table that the database does not have. */
  rows(table: string): DraftRow[] {
    if (!this.snapshot.tables.has(table)) return []
    const added = [...this.#touched(table).values()].filter((row) => row.before === undefined)
    const uuids = this.table(table)
      .rows.values()
      .map((row) => row.uuid)
    return [...uuids, ...added.map((row) => row.uuid)].flatMap((uuid) => this.row(table, uuid) ?? [])
  }

  /** @param uuid that it is to keep, or by which it is known until it has its own */
  insert(table: string, uuid = this.#newUuid(), keepsUuid = false): DraftRow {
    const { schema, defaults } = this.table(table)
    const row = new DraftRow(schema, uuid, defaults, undefined, keepsUuid)
    this.#touched(table).set(uuid, row)
    return row
  }

  delete(row: DraftRow): void {
    row.deleted = true
    if (row.before === undefined) this.#touched(row.table.name).delete(row.uuid)
  }

  comment(text: string): void {
    this.#comments.push(text)
  }

  /** If there is anything to do, the column is counted up by one, and the new count is the last result but one. */
  increment(row: DraftRow, column: string): void {
    this.#increment = { row, column }
  }

  /** The operations; empty when nothing would change. */
  operations(): Json[] {
    const all = [...this.#rows.values()].flatMap((rows) => [...rows.values()])
    const changes = all.flatMap((row) => this.#change(row) ?? [])
    if (changes.length === 0) return []
    const waits = all.flatMap((row) => (row.verified.size === 0 ? [] : [this.#wait(row)]))
    return [...waits, ...changes, ...this.#counting(), { op: 'comment', comment: this.#comments.join('\n') }]
  }

  /** Where the result for a new row is among those of `operations`. */
  indexOfInsert(operations: readonly Json[], row: DraftRow): number {
    return operations.findIndex((operation) => {
      const { 'uuid-name': name, uuid } = operation as { 'uuid-name'?: string; uuid?: string }
      return name === symbolOf(row.uuid) || uuid === row.uuid
    })
  }

  #touched(table: string): Map<Uuid, DraftRow> {
    const known = this.#rows.get(table)
    if (known !== undefined) return known
    const rows = new Map<Uuid, DraftRow>()
    this.#rows.set(table, rows)
    return rows
  }

  #change(row: DraftRow): Json | undefined {
    const table = row.table.name
    if (row.deleted) return { op: 'delete', table, where: whereIs(row) }
    const { before } = row
    const base = before ?? this.table(table).defaults
    const changed = [...row.table.columns.values()].filter(
      ({ name }) => row.columns[name] !== base[name] && !equalDatums(row.columns[name], base[name]),
    )
    if (before !== undefined && changed.length === 0) return undefined
    const columns = this.#columns(row, changed)
    if (before !== undefined) return { op: 'update', table, where: whereIs(row), row: columns }
    if (row.keepsUuid) return { op: 'insert', table, uuid: row.uuid, row: columns }
    return { op: 'insert', table, 'uuid-name': symbolOf(row.uuid), row: columns }
  }

  #wait(row: DraftRow): Json {
    const columns = [...row.verified]
    const rows = [
      Object.fromEntries(
        columns.map((name) => [name, datumToJson(row.before![name], row.table.columns.get(name)!.type)]),
      ),
    ]
    return { op: 'wait', table: row.table.name, timeout: 0, where: whereIs(row), columns, until: '==', rows }
  }

  #counting(): Json[] {
    if (this.#increment === undefined) return []
    const { row, column } = this.#increment
    const where = [['_uuid', '==', this.#reference(row.uuid)]]
    const table = row.table.name
    return [
      { op: 'mutate', table, where, mutations: [[column, '+=', 1]] },
      { op: 'select', table, where, columns: [column] },
    ]
  }

  #columns(row: DraftRow, columns: readonly ColumnSchema[]): Json {
    return Object.fromEntries(columns.map(({ name, type }) => [name, this.#datum(row.columns[name], type)]))
  }

  /** New rows are named in it by their symbols. */
  #datum(datum: Datum, type: ColumnType): Json {
    const atom = (value: Json, base: ColumnType['key'] | undefined) =>
      base?.type === 'uuid' ? this.#reference(value as Uuid) : value
    if (datum.values !== undefined) {
      return ['map', datum.keys.map((key, i) => [atom(key, type.key), atom(datum.values![i], type.value)])]
    }
    return ['set', datum.keys.map((key) => atom(key, type.key))]
  }

  #reference(uuid: Uuid): Json {
    for (const rows of this.#rows.values()) {
      const row = rows.get(uuid)
      if (row !== undefined && row.before === undefined && !row.keepsUuid)
        return ['named-uuid', symbolOf(uuid)]
    }
    return ['uuid', uuid]
  }
}

function symbolOf(uuid: Uuid): string {
  return `row${uuid.replaceAll('-', '_')}`
}

function whereIs(row: DraftRow): Json {
  return [['_uuid', '==', ['uuid', row.uuid]]]
}
