import type { SchemaJson } from './columns.ts'
import { BRIDGE_TABLES } from './open-vswitch-bridges.ts'
import { CONTROL_TABLES } from './open-vswitch-control.ts'
import { INTERFACE } from './open-vswitch-interface.ts'
import { MONITORING_TABLES } from './open-vswitch-monitoring.ts'

/** The schema of Open vSwitch 3.1: every table and column of ovs-vswitchd.conf.db(5). */
export const OPEN_VSWITCH: SchemaJson = {
  name: 'Open_vSwitch',
  version: '8.3.1',
  tables: { ...CONTROL_TABLES, ...BRIDGE_TABLES, Interface: INTERFACE, ...MONITORING_TABLES },
}
