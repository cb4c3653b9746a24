/**
 * What makes a database have the rows that are wanted, as operations of one transaction. Rows that are there already
 * are kept, with everything in them that is not asked for; others are taken out.
 */
import { datumOf, equalDatums, mapValue } from '../../protocols/ovsdb/datum.ts'
import type { Json, JsonObject } from '../../protocols/ovsdb/json-text.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { Row } from '../../protocols/ovsdb/row.ts'
import type { TableSchema } from '../../protocols/ovsdb/schema.ts'
import { LAB_SCHEMA } from '../../protocols/ovsdb/schemas/lab.ts'
import { isReference, type Wanted, type WantedAtom, type WantedRow } from './wanted-row.ts'

/** Tables that have no rows but those that are wanted. */
const FILLED_TABLES: readonly string[] = [
  ...Object.keys(LAB_SCHEMA.tables),
  'Bridge',
  'Port',
  'Interface',
  'Controller',
  'SSL',
  'QoS',
  'Queue',
  'IPFIX',
  'Flow_Sample_Collector_Set',
]

export function fillOperations(database: Snapshot, wanted: readonly WantedRow[]): JsonObject[] {
  const matches = new Matches(database, wanted)
  const encode = (atom: WantedAtom): Json => {
    if (!isReference(atom)) return atom
    const row = matches.of(atom.row)
    return row === undefined ? ['named-uuid', name(atom.row)] : ['uuid', row.uuid]
  }
  const names = new Map<string, string>()
  const name = (key: string): string => {
    const known = names.get(key) ?? `row${names.size}`
    names.set(key, known)
    return known
  }
  const operations = wanted.flatMap((row): JsonObject[] => {
    const match = matches.of(row.key)
    const columns = Object.entries(row.columns).filter(
      ([column, value]) => match === undefined || !matches.equal(match, column, value),
    )
    if (match !== undefined && columns.length === 0) return []
    const values = Object.fromEntries(columns.map(([column, value]) => [column, valueJson(value, encode)]))
    return match === undefined
      ? [{ op: 'insert', table: row.table, 'uuid-name': name(row.key), row: values }]
      : [{ op: 'update', table: row.table, where: [where(match)], row: values }]
  })
  return [...operations, ...matches.leftovers()]
}

function where(row: Row): Json {
  return ['_uuid', '==', ['uuid', row.uuid]]
}

function valueJson({ keys, values }: Wanted, encode: (atom: WantedAtom) => Json): Json {
  if (values === undefined) return keys.length === 1 ? encode(keys[0]!) : ['set', keys.map(encode)]
  return ['map', keys.map((key, i) => [encode(key), encode(values[i]!)])]
}

/** Which rows of a database are those that are wanted. */
class Matches {
  readonly #database: Snapshot
  readonly #wanted: ReadonlyMap<string, WantedRow>
  readonly #rows = new Map<string, Row>()
  readonly #taken = new Set<Row>()
  /** Rows of a table by the values of its index. */
  readonly #names = new Map<string, ReadonlyMap<string, Row>>()

  constructor(database: Snapshot, wanted: readonly WantedRow[]) {
    this.#database = database
    this.#wanted = new Map(wanted.map((row) => [row.key, row]))
    for (const row of wanted) this.#matchByName(row)
    for (const row of wanted) this.#matchReferences(row)
    // A name that is made of references is known now.
    for (const row of wanted) this.#matchByName(row)
  }

  of(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  equal(row: Row, column: string, { keys, values }: Wanted): boolean {
    const atoms = [...keys, ...(values ?? [])].map((atom) => this.#resolve(atom))
    if (atoms.includes(undefined)) return false
    const known = atoms as Exclude<WantedAtom, object>[]
    const datum = datumOf(known.slice(0, keys.length), values && known.slice(keys.length))
    return equalDatums(row.columns[column]!, datum)
  }

  /**
   * Deletions of rows that nobody wants. Of all of them, since a row that is only to be collected as garbage still
   * holds what it refers to.
   */
  leftovers(): JsonObject[] {
    return FILLED_TABLES.flatMap((table) => {
      const rows = this.#database.tables.get(table)?.rows.values() ?? []
      return rows
        .filter((row) => !this.#taken.has(row))
        .map((row) => ({ op: 'delete', table, where: [where(row)] }))
    })
  }

  #resolve(atom: WantedAtom) {
    return isReference(atom) ? this.#rows.get(atom.row)?.uuid : atom
  }

  #take(wanted: WantedRow, row: Row | undefined): void {
    if (row === undefined || this.#taken.has(row)) return
    this.#rows.set(wanted.key, row)
    this.#taken.add(row)
    this.#matchReferences(wanted)
  }

  #matchByName(wanted: WantedRow): void {
    if (this.#rows.has(wanted.key)) return
    const { schema, rows } = this.#database.tables.get(wanted.table)!
    if (schema.maxRows === 1) {
      this.#take(wanted, rows.values()[0])
      return
    }
    const [index] = schema.indexes
    if (index === undefined) return
    const values = index.map((column) => wanted.columns[column]?.keys.map((atom) => this.#resolve(atom)))
    if (values.flat().includes(undefined)) return
    this.#take(wanted, this.#byName(wanted.table, index).get(JSON.stringify(values)))
  }

  #byName(table: string, index: readonly string[]): ReadonlyMap<string, Row> {
    let names = this.#names.get(table)
    if (names === undefined) {
      const rows = this.#database.tables.get(table)!.rows.values()
      const nameOf = (row: Row) => JSON.stringify(index.map((column) => row.columns[column]!.keys))
      names = new Map(rows.map((row) => [nameOf(row), row]))
      this.#names.set(table, names)
    }
    return names
  }

  /** Of a row that is there, those it refers to may be as well. */
  #matchReferences(wanted: WantedRow): void {
    const row = this.#rows.get(wanted.key)
    if (row === undefined) return
    for (const [column, { keys, values }] of Object.entries(wanted.columns)) {
      const datum = row.columns[column]!
      const atoms = values ?? keys
      for (const [i, atom] of atoms.entries()) {
        if (!isReference(atom) || this.#rows.has(atom.row)) continue
        const target = this.#wanted.get(atom.row)!
        const { schema, rows } = this.#database.tables.get(target.table)!
        const position = values === undefined ? undefined : mapValue(datum, keys[i] as string | number)
        const candidates = values === undefined ? datum.keys : position === undefined ? [] : [position]
        const found = candidates
          .map((uuid) => rows.get(uuid as string))
          .find((r) => r !== undefined && !this.#taken.has(r) && this.#alike(r, target, schema))
        this.#take(target, found)
      }
    }
  }

  /** Whether a row of a table without names may become another: what cannot be changed in it is the same. */
  #alike(row: Row, wanted: WantedRow, schema: TableSchema): boolean {
    return Object.entries(wanted.columns).every(
      ([column, value]) =>
        (schema.columns.get(column)!.mutable && column !== 'target') || this.equal(row, column, value),
    )
  }
}
