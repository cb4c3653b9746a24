import type { PortStatus } from '../../engine/dpif.ts'
import { IFF_UP } from '../../engine/sys/link.ts'
import { OFPP_LOCAL } from '../../protocols/openflow/port.ts'
import type { Datum } from '../../protocols/ovsdb/datum.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import { MTU } from '../config/defaults.ts'
import type { Devices } from './devices.ts'
import type { RowReader } from './row-reader.ts'
import { datum } from './row-status.ts'
import type { SwitchFacts } from './status-of.ts'
import type { Troubles } from './troubles.ts'
import { notServed } from './unserved.ts'
import { optional, wordsOf } from './wanted-row.ts'

/** OFPP_LOCAL as the database has it, which knows 16 bits. */
const LOCAL = 65534
/** What stands for a port that could not be had. */
const NO_OFPORT = -1

export function interfaceColumns(
  port: RowReader,
  row: RowReader,
  troubles: Troubles,
  facts: SwitchFacts,
): Record<string, Datum> {
  const name = port.text('name')
  const type = row.text('type')
  const known = facts.ports.get(name)
  const { devices } = facts
  const trouble = troubles.ofInterface(row, name)
  const error = errorOf(row, type, trouble, known?.link === 'gone', devices)
  const { keys, ...device } = deviceColumns(row, type, devices) ?? virtualColumns(row, type, facts, name)
  const there = known !== undefined && error === undefined
  return {
    error: datum(optional(error)),
    ofport: datum(optional(error !== undefined ? NO_OFPORT : known && ofportOf(known))),
    link_state: datum(optional(known && (known.link === 'up' ? 'up' : 'down'))),
    ...(there ? device : GONE),
    status: datum(wordsOf({ ...(there ? keys : {}), not_served: notServed(row) })),
    ...(known !== undefined && row.isDefault('statistics') ? { statistics: statisticsOf(known) } : {}),
  }
}

/** A device that is missing is told in the words of Open vSwitch. */
function errorOf(
  row: RowReader,
  type: string,
  trouble: string | undefined,
  gone: boolean,
  devices: Devices,
): string | undefined {
  const device = row.text('name')
  const system = type === '' || type === 'system'
  if (!gone && (trouble === undefined || !system || devices.link(device) !== undefined)) return trouble
  return `could not open network device ${device} (No such device)`
}

function ofportOf({ ofport }: PortStatus): number {
  return ofport === OFPP_LOCAL ? LOCAL : ofport
}

const none = datum(optional(undefined))
const GONE = {
  admin_state: none,
  mac_in_use: none,
  ifindex: none,
  mtu: none,
  link_speed: none,
  duplex: none,
}

/** Of an interface without a device in the machine's own namespace. */
function virtualColumns(row: RowReader, type: string, facts: SwitchFacts, port: string) {
  const mtu = type === 'patch' ? undefined : (row.optionalNumber('mtu_request') ?? MTU)
  return {
    ...GONE,
    admin_state: datum(optional('up')),
    mac_in_use: datum(optional(facts.macOf(port))),
    ifindex: datum(optional(0)),
    mtu: datum(optional(mtu)),
    keys: undefined,
  }
}

const WITH_DEVICE: readonly string[] = ['', 'system', 'internal', 'tap']

function deviceColumns(row: RowReader, type: string, devices: Devices) {
  const name = row.text('name')
  const link = WITH_DEVICE.includes(type) ? devices.link(name) : undefined
  if (link === undefined) return undefined
  const { driver, mode } = devices.driver(name, link)
  return {
    admin_state: datum(optional((link.flags & IFF_UP) === 0 ? 'down' : 'up')),
    mac_in_use: datum(optional(formatMac(link.mac))),
    ifindex: datum(optional(link.index)),
    mtu: datum(optional(link.mtu)),
    link_speed: datum(optional(mode?.speed)),
    duplex: datum(optional(mode?.duplex)),
    keys: driver && {
      driver_name: driver.driver,
      driver_version: driver.version,
      firmware_version: driver.firmware,
    },
  }
}

/** In the names of Open vSwitch, which are ours. */
function statisticsOf({ stats }: PortStatus): Datum {
  return datum({ keys: Object.keys(stats), values: Object.values(stats) })
}
