import type { NamedUuids } from './atom-json.ts'
import type { Datum } from './datum.ts'
import { parseDatum } from './datum-json.ts'
import { OvsdbError, syntaxError } from './error.ts'
import { isJsonObject, type Json } from './json-text.ts'
import type { Members } from './members.ts'
import { findColumn, type TableSchema } from './schema.ts'
import type { TableEdit } from './table-edit.ts'
import type { Environment } from './transact.ts'
import type { Transaction } from './transaction.ts'
import type { Uuid } from './uuid.ts'

/** A transaction on its way through its operations. */
export interface Execution {
  readonly transaction: Transaction
  readonly environment: Environment
  readonly names: SymbolTable
  /** The `_version` of all that the transaction inserts or changes. */
  readonly version: Uuid
  /** Whether it has an operation that may change something. */
  writes: boolean
  durable: boolean
  readonly comments: string[]
}

/** The UUIDs of names, which may be used before the "insert" that they are given by. */
export class SymbolTable implements NamedUuids {
  readonly #uuids = new Map<string, Uuid>()
  readonly #inserted = new Set<string>()
  readonly #newUuid: () => Uuid

  constructor(newUuid: () => Uuid) {
    this.#newUuid = newUuid
  }

  uuidOf(name: string): Uuid {
    const known = this.#uuids.get(name)
    if (known !== undefined) return known
    const uuid = this.#newUuid()
    this.#uuids.set(name, uuid)
    return uuid
  }

  /** The UUID of a row that is inserted by this name, `given` where the client chose it. False: it was before. */
  insert(name: string, given: Uuid | undefined): Uuid | false {
    if (this.#inserted.has(name)) return false
    this.#inserted.add(name)
    if (given !== undefined) this.#uuids.set(name, given)
    return this.uuidOf(name)
  }
}

/** The table that an operation names. */
export function tableOf({ transaction }: Execution, members: Members): TableEdit {
  const name = members.required('table', 'id')
  if (!transaction.database.tables.has(name)) throw members.error(`No table named ${name}.`)
  return transaction.edit(name)
}

/** The columns that a <row> names, with their values. */
export function parseRow(json: Json, table: TableSchema, names: NamedUuids): [string, Datum][] {
  if (!isJsonObject(json)) throw syntaxError(json, 'row must be JSON object')
  return Object.entries(json).map(([name, value]) => {
    const column = findColumn(table, name)
    if (column === undefined) {
      throw new OvsdbError('unknown column', `No column ${name} in table ${table.name}.`, json)
    }
    return [name, parseDatum(value, column.type, names)]
  })
}
