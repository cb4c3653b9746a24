import { datapathIdOf } from '../config/datapath-id.ts'
import { AGING_TIME, INACTIVITY_PROBE, MAC_TABLE_SIZE, MAX_BACKOFF, MTU } from '../config/defaults.ts'
import { deriveMac } from '../config/mac-derivation.ts'
import type { Bridge, ControllerTarget, Internal, Openflow, Port } from '../config/network.ts'
import { PROTOCOLS, versionsOf } from '../config/protocols.ts'
import { DEFAULT_DSCP } from '../net/dscp.ts'
import { parseOfAddress } from '../openflow/address.ts'
import { flowTablesOf } from './flow-tables-of.ts'
import { bridgeIpfix } from './ipfix-of.ts'
import { inRange, integerWord } from './numbers.ts'
import { type Plug, portOf, portSettings } from './port-of.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

/** A bridge, its ports, and the ports on it by which hosts and routers are plugged in. */
export interface ReadBridge {
  readonly bridge: Bridge
  readonly plugs: readonly Plug[]
}

export function bridgeOf(ovs: DatabaseReader, row: RowReader): ReadBridge {
  const name = row.text('name')
  const config = row.words('other_config')
  let internal: { settings: Omit<Internal, 'address'>; mac: number | undefined } | undefined
  const ports: Port[] = []
  const plugs: Plug[] = []
  for (const port of ovs.follow(row, 'ports', 'Port')) {
    const iface = onlyInterface(ovs, port)
    if (iface === undefined) continue
    const settings = portSettings(ovs, port, iface)
    const kind = iface.text('type')
    if (port.text('name') === name) {
      internal = {
        settings: { mtu: iface.optionalNumber('mtu_request') ?? MTU, ...settings },
        mac: iface.mac('mac'),
      }
    } else if (kind === 'host' || kind === 'router') {
      plugs.push({ bridge: name, port: port.text('name'), kind, iface, settings })
    } else {
      const read = portOf(port.text('name'), iface, settings)
      if (read !== undefined) ports.push(read)
    }
  }
  const mac =
    row.macOf('other_config:hwaddr', config.get('hwaddr')) ?? internal?.mac ?? deriveMac('bridge', name)
  return {
    plugs,
    bridge: {
      name,
      datapathId: datapathId(row, config.get('datapath-id')) ?? datapathIdOf(mac),
      internal: internal === undefined ? undefined : { address: undefined, ...internal.settings },
      mac,
      agingTime: integerWord(row, config, 'mac-aging-time', 1, 1_000_000) ?? AGING_TIME,
      macTableSize: integerWord(row, config, 'mac-table-size', 10, 1_000_000) ?? MAC_TABLE_SIZE,
      forwardBpdu: config.get('forward-bpdu') === 'true',
      openflow: openflowOf(ovs, row),
      ipfix: bridgeIpfix(ovs, row),
      ports,
    },
  }
}

/** Bonds are not served: of several interfaces the first carries the port. */
function onlyInterface(ovs: DatabaseReader, port: RowReader): RowReader | undefined {
  const interfaces = ovs.follow(port, 'interfaces', 'Interface')
  if (interfaces.length > 1) {
    port.problem(`bonds are not served yet: only ${interfaces[0]!.text('name')} carries the port`)
  }
  return interfaces[0]
}

function datapathId(row: RowReader, text: string | undefined): string | undefined {
  const parse = (digits: string) => /^(?:0x)?([0-9a-f]{1,16})$/.exec(digits.toLowerCase())?.[1]
  return row
    .parsed('other_config:datapath-id', text, parse, 'number of at most 16 hexadecimal digits')
    ?.padStart(16, '0')
}

function openflowOf(ovs: DatabaseReader, row: RowReader): Openflow {
  const protocols = row.texts('protocols')
  return {
    controllers: ovs
      .follow(row, 'controller', 'Controller')
      .flatMap((controller) => controllerOf(controller) ?? [])
      .sort((a, b) => (a.target < b.target ? -1 : 1)),
    failMode: row.text('fail_mode') === 'secure' ? 'secure' : 'standalone',
    versions: versionsOf(protocols.length === 0 ? PROTOCOLS : protocols),
    flowTables: flowTablesOf(ovs, row),
  }
}

function controllerOf(row: RowReader): ControllerTarget | undefined {
  const target = row.text('target')
  if (parseOfAddress(target) === undefined) {
    row.problem(`"${target}" is no address of a controller`)
    return undefined
  }
  return {
    target,
    maxBackoff: inRange(row, 'max_backoff', 1000, 3_600_000) ?? MAX_BACKOFF,
    inactivityProbe: inRange(row, 'inactivity_probe', 0, 3_600_000) ?? INACTIVITY_PROBE,
    rateLimit: row.number('controller_rate_limit'),
    burstLimit: row.number('controller_burst_limit'),
    dscp: integerWord(row, row.words('other_config'), 'dscp', 0, 63) ?? DEFAULT_DSCP,
  }
}
