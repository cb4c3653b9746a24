/** <database-schema> of RFC 7047 §3.2, and what ovsdb(7) adds to it. */

import { type BaseType, isStrongRef } from './base-type.ts'
import { type ColumnType, columnTypeToJson, hasWeakRefs, parseColumnType, UUID_TYPE } from './column-type.ts'
import { syntaxError } from './error.ts'
import type { Json, JsonObject } from './json-text.ts'
import { isArray } from './json-value.ts'
import { isId, Members } from './members.ts'

export interface DatabaseSchema {
  readonly name: string
  /** "x.y.z"; empty in databases of old. */
  readonly version: string
  /** Empty where there is none. */
  readonly cksum: string
  readonly tables: ReadonlyMap<string, TableSchema>
}

export interface TableSchema {
  readonly name: string
  /** Without the columns that every table has, `_uuid` and `_version`. */
  readonly columns: ReadonlyMap<string, ColumnSchema>
  readonly mutable: boolean
  /** Infinity where there is no limit. */
  readonly maxRows: number
  /** Whether rows stay that no strong reference leads to. */
  readonly isRoot: boolean
  /** Names of columns whose values together are unique. */
  readonly indexes: readonly (readonly string[])[]
}

export interface ColumnSchema {
  readonly name: string
  readonly type: ColumnType
  readonly mutable: boolean
  /** Lost when the server ends. */
  readonly ephemeral: boolean
}

/** The columns that every table has (RFC 7047 §3.2). */
export const UUID_COLUMN: ColumnSchema = { name: '_uuid', type: UUID_TYPE, mutable: false, ephemeral: false }
export const VERSION_COLUMN: ColumnSchema = {
  name: '_version',
  type: UUID_TYPE,
  mutable: false,
  ephemeral: true,
}

export function findColumn(table: TableSchema, name: string): ColumnSchema | undefined {
  if (name === '_uuid') return UUID_COLUMN
  if (name === '_version') return VERSION_COLUMN
  return table.columns.get(name)
}

const VERSION = /^\d+\.\d+\.\d+$/

export function parseSchema(json: Json): DatabaseSchema {
  const members = new Members(json, 'database schema')
  const name = members.required('name', 'id')
  const version = members.optional('version', 'string') ?? ''
  const cksum = members.optional('cksum', 'string') ?? ''
  const given = members.required('tables', 'object')
  members.finish()
  if (version !== '' && !VERSION.test(version)) {
    throw syntaxError(json, `schema version "${version}" not in format x.y.z`)
  }
  const parsed = namedEntries(given, json).map(([table, schema]) => parseTable(schema, table))
  // Before there was "isRoot" there was no garbage collection either: a schema without any root has nothing else.
  const noRoot = !parsed.some((table) => table.isRoot)
  const tables = new Map(parsed.map((table) => [table.name, noRoot ? { ...table, isRoot: true } : table]))
  for (const [table, schema] of tables) tables.set(table, withReferences(schema, tables))
  return { name, version, cksum, tables }
}

function parseTable(json: Json, name: string): TableSchema {
  const members = new Members(json, `table schema for table ${name}`)
  const given = members.required('columns', 'object')
  const mutable = members.optional('mutable', 'boolean') ?? true
  const maxRows = members.optional('maxRows', 'integer')
  const isRoot = members.optional('isRoot', 'boolean') ?? false
  const indexes = members.optional('indexes', 'array') ?? []
  members.finish()
  if (maxRows !== undefined && maxRows <= 0) throw syntaxError(json, 'maxRows must be at least 1')
  const entries = namedEntries(given, json)
  if (entries.length === 0) throw syntaxError(json, 'table must have at least one column')
  const columns = new Map(entries.map(([column, schema]) => [column, parseColumn(schema, column)]))
  const table = {
    name,
    columns,
    mutable,
    isRoot,
    indexes: [],
    maxRows: Number(maxRows ?? Number.POSITIVE_INFINITY),
  }
  return { ...table, indexes: indexes.map((index) => parseIndex(index, table)) }
}

function parseIndex(json: Json, table: TableSchema): readonly string[] {
  const columns = parseColumnSet(json, table)
  if (columns.length === 0) throw syntaxError(json, 'index must have at least one column')
  const ephemeral = columns.find((column) => column.ephemeral)
  if (ephemeral !== undefined) {
    throw syntaxError(json, `ephemeral columns (such as ${ephemeral.name}) may not be indexed`)
  }
  return columns.map((column) => column.name)
}

function parseColumn(json: Json, name: string): ColumnSchema {
  const members = new Members(json, `schema for column ${name}`)
  const mutable = members.optional('mutable', 'boolean') ?? true
  const ephemeral = members.optional('ephemeral', 'boolean') ?? false
  const given = members.required('type', 'type')
  members.finish()
  const type = parseColumnType(given)
  // A weak reference goes when its row goes, whatever the schema says.
  return { name, type, mutable: mutable || hasWeakRefs(type), ephemeral }
}

function namedEntries(object: JsonObject, context: Json): [string, Json][] {
  const entries = Object.entries(object)
  for (const [name] of entries) {
    if (name.startsWith('_')) throw syntaxError(context, 'names beginning with "_" are reserved')
    if (!isId(name)) throw syntaxError(context, 'name must be a valid id')
  }
  return entries
}

/**
 * Checks that references lead to tables that exist. A strong reference to a table that is no root is never
 * ephemeral: it alone keeps a row alive, which after a restart would be gone.
 */
function withReferences(table: TableSchema, tables: ReadonlyMap<string, TableSchema>): TableSchema {
  const kept = (column: ColumnSchema, base: BaseType | undefined, what: string) => {
    if (base?.refTable === undefined) return false
    const target = tables.get(base.refTable)
    if (target !== undefined) return isStrongRef(base) && !target.isRoot
    throw syntaxError(undefined, `column ${column.name} ${what} refers to undefined table ${base.refTable}`)
  }
  const columns = new Map(
    [...table.columns].map(([name, column]) => {
      const byKey = kept(column, column.type.key, 'key')
      const byValue = kept(column, column.type.value, 'value')
      return [name, column.ephemeral && (byKey || byValue) ? { ...column, ephemeral: false } : column]
    }),
  )
  return { ...table, columns }
}

/** The columns that a <column-set> names; all of them where there is none. */
export function parseColumnSet(json: Json | undefined, table: TableSchema): readonly ColumnSchema[] {
  if (json === undefined) return [UUID_COLUMN, VERSION_COLUMN, ...table.columns.values()]
  const wrong = () => syntaxError(json, 'array of distinct column names expected')
  if (!isArray(json)) throw wrong()
  const columns = json.map((name) => {
    if (typeof name !== 'string') throw wrong()
    const column = findColumn(table, name)
    if (column === undefined) throw syntaxError(json, `${name} is not a valid column name`)
    return column
  })
  if (new Set(columns).size !== columns.length) throw wrong()
  return columns
}

export function schemaToJson(schema: DatabaseSchema): JsonObject {
  const { name, version, cksum } = schema
  const tables = [...schema.tables.values()]
  const rootByDefault = tables.every((table) => table.isRoot)
  return {
    name,
    ...(version === '' ? {} : { version }),
    ...(cksum === '' ? {} : { cksum }),
    tables: Object.fromEntries(tables.map((table) => [table.name, tableToJson(table, rootByDefault)])),
  }
}

function tableToJson(table: TableSchema, rootByDefault: boolean): Json {
  const columns = [...table.columns.values()]
  return {
    ...(table.mutable ? {} : { mutable: false }),
    ...(table.isRoot === rootByDefault ? {} : { isRoot: table.isRoot }),
    columns: Object.fromEntries(columns.map((column) => [column.name, columnToJson(column)])),
    ...(table.maxRows === Number.POSITIVE_INFINITY ? {} : { maxRows: table.maxRows }),
    ...(table.indexes.length === 0 ? {} : { indexes: table.indexes }),
  }
}

function columnToJson({ type, mutable, ephemeral }: ColumnSchema): Json {
  return {
    ...(mutable ? {} : { mutable: false }),
    ...(ephemeral ? { ephemeral: true } : {}),
    type: columnTypeToJson(type),
  }
}
