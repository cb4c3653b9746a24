/**
 * What the schema knows and no code here serves yet. Whoever sets it is told so in the row's status. The list in
 * docs/ovsdb.md is this one.
 */
import type { RowReader } from './row-reader.ts'

/** Columns by table; after a colon, a key of a column that is a map. */
export const UNSERVED: Readonly<Record<string, readonly string[]>> = {
  Bridge: [
    'auto_attach',
    'flood_vlans',
    'mcast_snooping_enable',
    'mirrors',
    'netflow',
    'rstp_enable',
    'sflow',
    'stp_enable',
    'other_config:in-band-queue',
  ],
  Port: [
    'bond_active_slave',
    'bond_downdelay',
    'bond_fake_iface',
    'bond_mode',
    'bond_updelay',
    'lacp',
    'mac',
    'protected',
    'other_config:transient',
  ],
  Interface: [
    'bfd',
    'cfm_mpid',
    'ingress_policing_kpkts_burst',
    'ingress_policing_kpkts_rate',
    'lldp',
    'options:key',
    'options:remote_ip',
  ],
  Controller: [
    'connection_mode',
    'controller_queue_size',
    'enable_async_messages',
    'local_gateway',
    'local_ip',
    'local_netmask',
    'type',
  ],
}

/** What is set in a row that is not served, as a list for people; undefined for nothing. */
export function notServed(row: RowReader): string | undefined {
  const set = (UNSERVED[row.table] ?? []).filter((place) => {
    const [column, key] = place.split(':') as [string, string | undefined]
    return key === undefined ? !row.isDefault(column) : row.words(column).has(key)
  })
  return set.length === 0 ? undefined : set.join(', ')
}
