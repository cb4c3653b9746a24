/** What the rows of both databases are to say about what has become of them. */
import type { PortStatus } from '../../engine/dpif.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { Network } from '../config/network.ts'
import type { Failure } from '../reconcile/converge.ts'
import type { Devices } from './devices.ts'
import { interfaceColumns } from './interface-status.ts'
import { DatabaseReader, type Problem, type RowReader } from './row-reader.ts'
import { datum, type RowStatus } from './row-status.ts'
import type { SystemRelease } from './system-release.ts'
import { Troubles } from './troubles.ts'
import { notServed } from './unserved.ts'
import { optional, scalar, setOf, wordsOf } from './wanted-row.ts'

/** What is known of the switch. */
export interface SwitchFacts {
  readonly network: Network
  readonly problems: readonly Problem[]
  readonly failures: readonly Failure[]
  readonly devices: Devices
  /** By name. */
  readonly ports: ReadonlyMap<string, PortStatus>
  /** Of the operating system. */
  readonly release: SystemRelease
  /** Number of the last change that has been dealt with; undefined for none. */
  readonly applied: number | undefined
  /** Whether devices in memory may take the place of others. */
  readonly dummies: boolean
  macOf(port: string): string
  controllerOf(bridge: string, target: string): ControllerFacts | undefined
}

export interface ControllerFacts {
  readonly connected: boolean
  readonly role: 'other' | 'master' | 'slave' | undefined
  /** Why it was last lost. */
  readonly lastError: string | undefined
}

/** Types of interfaces and datapaths that may be asked for. */
const INTERFACE_TYPES = ['dummy', 'host', 'internal', 'patch', 'router', 'system', 'tap']
const DATAPATH_TYPES = ['netdev', 'system']
/** What tools are told that ask which Open vSwitch this is. */
const OVS_VERSION = '3.1.0'

export interface Statuses {
  readonly ovs: readonly RowStatus[]
  readonly lab: readonly RowStatus[]
}

/** @param ports rows of the table Port: of the others, and their interfaces, nothing is said */
export function statusOf(
  ovs: Snapshot,
  lab: Snapshot | undefined,
  ports: readonly RowReader[],
  facts: SwitchFacts,
): Statuses {
  const reader = new DatabaseReader(ovs)
  const troubles = new Troubles(facts.problems, facts.failures)
  const root = reader.root('Open_vSwitch')
  const rows: RowStatus[] = root === undefined ? [] : [rootStatus(root, ovs, facts)]
  for (const bridge of reader.follow(root, 'bridges', 'Bridge')) {
    rows.push(bridgeStatus(bridge, troubles, facts))
    for (const controller of reader.follow(bridge, 'controller', 'Controller')) {
      rows.push(controllerStatus(controller, bridge.text('name'), troubles, facts))
    }
  }
  for (const port of ports) {
    rows.push(status(port, troubles.ofPort(port)))
    for (const iface of reader.follow(port, 'interfaces', 'Interface')) {
      rows.push(rowOf(iface, interfaceColumns(port, iface, troubles, facts)))
    }
  }
  return { ovs: rows, lab: lab === undefined ? [] : labStatus(lab, troubles) }
}

function rowOf({ table, uuid }: RowReader, columns: RowStatus['columns']): RowStatus {
  return { table, uuid, columns }
}

function status(row: RowReader, error: string | undefined): RowStatus {
  return rowOf(row, { status: datum(wordsOf({ error, not_served: notServed(row) })) })
}

function rootStatus(
  root: RowReader,
  { schema }: Snapshot,
  { applied, dummies, release }: SwitchFacts,
): RowStatus {
  const unlessSaid = (column: string, text: string) => optional(root.optionalText(column) ?? text)
  return rowOf(root, {
    ...(applied === undefined ? {} : { cur_cfg: datum(scalar(applied)) }),
    ovs_version: datum(unlessSaid('ovs_version', OVS_VERSION)),
    db_version: datum(unlessSaid('db_version', schema.version)),
    system_type: datum(unlessSaid('system_type', release.type)),
    system_version: datum(unlessSaid('system_version', release.version)),
    iface_types: datum(setOf(INTERFACE_TYPES)),
    datapath_types: datum(setOf(dummies ? ['dummy', ...DATAPATH_TYPES] : DATAPATH_TYPES)),
  })
}

function bridgeStatus(row: RowReader, troubles: Troubles, { network }: SwitchFacts): RowStatus {
  const name = row.text('name')
  const bridge = network.bridges.find((candidate) => candidate.name === name)
  const { columns } = status(row, troubles.ofBridge(row))
  return rowOf(row, {
    ...columns,
    datapath_id: datum(optional(bridge?.datapathId)),
    datapath_version: datum(scalar('<built-in>')),
  })
}

function controllerStatus(row: RowReader, bridge: string, troubles: Troubles, facts: SwitchFacts): RowStatus {
  const known = facts.controllerOf(bridge, row.text('target'))
  return rowOf(row, {
    is_connected: datum(scalar(known?.connected === true)),
    role: datum(optional(known?.role)),
    status: datum(
      wordsOf({
        last_error: troubles.ofRow(row) ?? known?.lastError,
        state: known === undefined ? undefined : known.connected ? 'ACTIVE' : 'BACKOFF',
        not_served: notServed(row),
      }),
    ),
  })
}

/** Tables of the Lab database whose rows tell errors: all but its root. */
function labStatus(lab: Snapshot, troubles: Troubles): RowStatus[] {
  const reader = new DatabaseReader(lab)
  const tables = [...lab.schema.tables.values()].filter(({ columns }) => columns.has('error'))
  return tables.flatMap(({ name }) =>
    reader.all(name).map((row) => rowOf(row, { error: datum(optional(troubles.ofLab(row))) })),
  )
}
