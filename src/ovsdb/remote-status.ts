import type { JsonObject } from '../../protocols/ovsdb/json-text.ts'
import type { TableSchema } from '../../protocols/ovsdb/schema.ts'
import type { LockNames } from './locks.ts'

/** What a row that asks for a remote learns about it: ovs-vswitchd.conf.db(5), "Manager", "Status". */
export interface RemoteStatus {
  readonly connected: boolean
  /** Of one that we connect to: VOID, BACKOFF, CONNECTING, ACTIVE, IDLE. */
  readonly state?: string
  readonly secondsSinceConnect?: number
  readonly secondsSinceDisconnect?: number
  readonly lastError?: string
  readonly locks?: LockNames
  /** Of one that clients come to. */
  readonly connections?: number
  readonly boundPort?: number
}

/** The columns to write; undefined when the table has none for it. */
export function statusColumns(status: RemoteStatus, schema: TableSchema): JsonObject | undefined {
  const { locks } = status
  const pairs: [string, string | number | undefined][] = [
    ['state', status.state],
    ['sec_since_connect', status.secondsSinceConnect],
    ['sec_since_disconnect', status.secondsSinceDisconnect],
    ['last_error', status.lastError],
    ['locks_held', locks?.held.join(' ') || undefined],
    ['locks_waiting', locks?.waiting.join(' ') || undefined],
    ['locks_lost', locks?.lost.join(' ') || undefined],
    ['n_connections', (status.connections ?? 0) > 1 ? status.connections : undefined],
    ['bound_port', status.boundPort],
  ]
  const known = pairs.flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]))
  const columns = {
    ...(schema.columns.has('is_connected') ? { is_connected: status.connected } : {}),
    ...(schema.columns.has('status') ? { status: ['map', known] } : {}),
  }
  return Object.keys(columns).length === 0 ? undefined : columns
}
