import { datapathIdOf } from '../config/datapath-id.ts'
import { AGING_TIME, INACTIVITY_PROBE, MAC_TABLE_SIZE, MAX_BACKOFF } from '../config/defaults.ts'
import { deriveMac } from '../config/mac-derivation.ts'
import type { Bridge, ControllerTarget, Openflow, Port } from '../config/network.ts'
import { PROTOCOLS, versionsOf } from '../config/protocols.ts'
import { DEFAULT_DSCP } from '../net/dscp.ts'
import { parseOfAddress } from '../openflow/address.ts'
import { flowTablesOf } from './flow-tables-of.ts'
import { bridgeIpfix } from './ipfix-of.ts'
import { inRange, integerWord } from './numbers.ts'
import type { OwnPort } from './read-port.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

/** A bridge without its ports. */
export interface BridgeSettings extends Omit<Bridge, 'datapathId' | 'internal' | 'mac' | 'ports'> {
  readonly hwaddr: number | undefined
  readonly givenDatapathId: string | undefined
}

export function bridgeSettings(ovs: DatabaseReader, row: RowReader): BridgeSettings {
  const config = row.words('other_config')
  return {
    name: row.text('name'),
    hwaddr: row.macOf('other_config:hwaddr', config.get('hwaddr')),
    givenDatapathId: datapathId(row, config.get('datapath-id')),
    agingTime: integerWord(row, config, 'mac-aging-time', 1, 1_000_000) ?? AGING_TIME,
    macTableSize: integerWord(row, config, 'mac-table-size', 10, 1_000_000) ?? MAC_TABLE_SIZE,
    forwardBpdu: config.get('forward-bpdu') === 'true',
    openflow: openflowOf(ovs, row),
    ipfix: bridgeIpfix(ovs, row),
  }
}

export function bridgeOf(
  { hwaddr, givenDatapathId, ...settings }: BridgeSettings,
  own: OwnPort | undefined,
  ports: readonly Port[],
): Bridge {
  const mac = hwaddr ?? own?.mac ?? deriveMac('bridge', settings.name)
  return {
    ...settings,
    datapathId: givenDatapathId ?? datapathIdOf(mac),
    internal: own?.internal,
    mac,
    ports,
  }
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
