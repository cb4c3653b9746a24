import { equalDatums } from '../../protocols/ovsdb/datum.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'

/** Columns that tell what is; we write them ourselves. `error` of the Lab database among them. */
const STATUS_COLUMNS: ReadonlySet<string> = new Set([
  'admin_state',
  'cur_cfg',
  'datapath_id',
  'datapath_types',
  'datapath_version',
  'db_version',
  'duplex',
  'error',
  'iface_types',
  'ifindex',
  'is_connected',
  'link_resets',
  'link_speed',
  'link_state',
  'mac_in_use',
  'mtu',
  'ofport',
  'ovs_version',
  'role',
  'statistics',
  'status',
  'system_type',
  'system_version',
])

/** Whether it is a change of what is wanted. */
export function concernsConfiguration({ before, after }: RowChange): boolean {
  if (before === undefined || after === undefined) return true
  return Object.entries(after.columns).some(
    ([column, datum]) => !STATUS_COLUMNS.has(column) && !equalDatums(before.columns[column]!, datum),
  )
}
