/**
 * Role-based access control: a client whose remote gives it a role may change only what the role has permission for.
 * The database itself says so, in tables RBAC_Role (name, permissions: table names to rows of RBAC_Permission) and
 * RBAC_Permission (authorization, insert_delete, update), as OVN's southbound database has them. Reading is free.
 */

import { mapValue } from './datum.ts'
import { OvsdbError } from './error.ts'
import type { Execution } from './execution.ts'
import type { Row } from './row.ts'
import type { TableEdit } from './table-edit.ts'

export interface Access {
  readonly role: string
  /** Who it is by its certificate. */
  readonly client: string | undefined
}

const ROLES = 'RBAC_Role'

const REFUSED = {
  insert: 'row insertion into table',
  delete: 'row deletion from table',
  update: 'modification of table',
  mutate: 'mutate operation on table',
}

/**
 * Throws unless the client may do that with each of the rows.
 * @param columns that are written by an update or mutation
 */
export function checkAccess(
  { transaction, environment }: Execution,
  edit: TableEdit,
  action: keyof typeof REFUSED,
  rows: readonly Row[],
  columns: readonly string[] = [],
): void {
  const { access } = environment
  const roles = transaction.database.tables.get(ROLES)
  if (access === undefined || access.role === '' || roles === undefined) return
  const { client } = access
  const permission = permissionFor(edit.name, access.role, transaction.database.tables)
  if (client !== undefined && permission !== undefined) {
    const allowed = (row: Row) => isAuthorized(client, row, permission)
    const may =
      action === 'update' || action === 'mutate'
        ? columns.every((column) => strings(permission, 'update').includes(column))
        : permission.columns['insert_delete']?.keys[0] === true
    // Nobody minds what is done to no row.
    if (rows.every((row) => may && allowed(row))) return
  }
  throw new OvsdbError(
    'permission error',
    `RBAC rules for client "${client ?? '(null)'}" role "${access.role}" prohibit ${REFUSED[action]} "${edit.name}".`,
  )
}

function permissionFor(table: string, role: string, tables: Execution['transaction']['database']['tables']) {
  const roles = tables.get(ROLES)!
  const row = roles.rows.values().find(({ columns }) => columns['name']?.keys.includes(role))
  const refTable = roles.schema.columns.get('permissions')?.type.value?.refTable
  if (row === undefined || refTable === undefined) return undefined
  const uuid = mapValue(row.columns['permissions'], table)
  return uuid === undefined ? undefined : tables.get(refTable)?.rows.get(String(uuid))
}

/** Whether a column that the permission names, or `COLUMN:KEY` of a map, holds the client's name; '' lets all do. */
function isAuthorized(client: string, row: Row, permission: Row): boolean {
  return strings(permission, 'authorization').some((place) => {
    if (place === '') return true
    const [column, key] = place.split(':')
    if (!Object.hasOwn(row.columns, column)) return false
    const datum = row.columns[column]
    if (place.includes(':')) return key !== undefined && mapValue(datum, key) === client
    return datum.values === undefined && datum.keys.length === 1 && datum.keys[0] === client
  })
}

function strings({ columns }: Row, name: string): readonly string[] {
  return columns[name]?.keys.map(String) ?? []
}
