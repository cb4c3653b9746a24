/** What `--remote` names: an address, or a column of a database that has addresses (ovsdb-server(1), "db:"). */

import type { Table } from '../../protocols/ovsdb/database.ts'
import { type Datum, mapValue } from '../../protocols/ovsdb/datum.ts'
import type { Row } from '../../protocols/ovsdb/row.ts'
import type { Uuid } from '../../protocols/ovsdb/uuid.ts'
import type { Duration } from '../../protocols/time.ts'
import type { ServedDatabase } from './served-database.ts'

export interface RemoteTarget {
  /** `ptcp:…`, `ssl:…`, …. */
  readonly target: string
  readonly readOnly: boolean
  /** What its clients may change goes by it; '': everything. */
  readonly role: string
  /** Ms; undefined: what the kind of address needs. */
  readonly probeInterval: Duration | undefined
  readonly maxBackoff: Duration | undefined
  /** Undefined: the usual one. */
  readonly dscp: number | undefined
  /** The row that asks for it and wants to know its status. */
  readonly row: { readonly served: ServedDatabase; readonly table: string; readonly uuid: Uuid } | undefined
}

export class RemoteNameError extends Error {}

interface ColumnReference {
  readonly served: ServedDatabase
  readonly table: Table
  readonly column: string
}

/** What `db:DATABASE,TABLE,COLUMN` leads to. Throws RemoteNameError. */
function parseReference(name: string, databases: ReadonlyMap<string, ServedDatabase>): ColumnReference {
  const [databaseName, tableName, column, ...rest] = name.slice('db:'.length).split(',')
  if (!databaseName || !tableName || !column || rest.length > 0) {
    throw new RemoteNameError(`"${name}": invalid syntax`)
  }
  const served = databases.get(databaseName)
  if (served === undefined) throw new RemoteNameError(`"${name}": no database named ${databaseName}`)
  const table = served.database.tables.get(tableName)
  if (table === undefined) throw new RemoteNameError(`"${name}": no table named ${tableName}`)
  if (!table.schema.columns.has(column)) {
    throw new RemoteNameError(`"${name}": table "${tableName}" has no column "${column}"`)
  }
  return { served, table, column }
}

/** Every address that a remote stands for at this moment. Throws RemoteNameError. */
export function targetsOf(name: string, databases: ReadonlyMap<string, ServedDatabase>): RemoteTarget[] {
  if (!name.startsWith('db:')) return [plainTarget(name)]
  const { served, table, column } = parseReference(name, databases)
  const { key, value } = table.schema.columns.get(column)!.type
  if (value !== undefined) return []
  const elements = table.rows.values().flatMap((row) => row.columns[column].keys)
  if (key.type === 'string') return elements.map((element) => plainTarget(String(element)))
  if (key.type !== 'uuid' || key.refTable === undefined) return []
  const refTable = key.refTable
  const managers = served.database.tables.get(refTable)!
  return elements.flatMap((uuid) => {
    const row = managers.rows.get(String(uuid))
    return row === undefined ? [] : managerTargets(row, { served, table: refTable, uuid: row.uuid })
  })
}

/** The first text that a column has which is not empty; `name` itself when it is no `db:…`. Throws RemoteNameError. */
export function textOf(
  name: string | undefined,
  databases: ReadonlyMap<string, ServedDatabase>,
): string | undefined {
  if (name === undefined || !name.startsWith('db:')) return name
  const { table, column } = parseReference(name, databases)
  const { key, value } = table.schema.columns.get(column)!.type
  if (key.type !== 'string' || value !== undefined) {
    throw new RemoteNameError(
      `"${name}": table "${table.schema.name}" column "${column}" is not string or set of strings`,
    )
  }
  const texts = table.rows.values().flatMap((row) => row.columns[column].keys)
  return texts.map(String).find((text) => text !== '')
}

function plainTarget(target: string): RemoteTarget {
  return {
    target,
    readOnly: false,
    role: '',
    probeInterval: undefined,
    maxBackoff: undefined,
    dscp: undefined,
    row: undefined,
  }
}

/** A row of Manager, or of another table that has its columns. */
function managerTargets({ columns }: Row, row: RemoteTarget['row']): RemoteTarget[] {
  const target = first(columns['target'])
  if (typeof target !== 'string' || target === '') return []
  return [
    {
      target,
      readOnly: first(columns['read_only']) === true,
      role: String(first(columns['role']) ?? ''),
      probeInterval: milliseconds(columns['inactivity_probe']),
      maxBackoff: milliseconds(columns['max_backoff']),
      dscp: dscp(columns['other_config']),
      row,
    },
  ]
}

function first(datum: Datum | undefined) {
  return datum?.keys[0]
}

function dscp(config: Datum | undefined): number | undefined {
  const text = config === undefined ? undefined : mapValue(config, 'dscp')
  const value = typeof text === 'string' ? Number.parseInt(text, 10) : -1
  return value >= 0 && value <= 63 ? value : undefined
}

function milliseconds(datum: Datum | undefined): Duration | undefined {
  const value = first(datum)
  return typeof value === 'number' ? value : undefined
}
