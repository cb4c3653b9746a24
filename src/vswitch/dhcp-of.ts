import {
  checkDhcpServerConfig,
  type DhcpServerConfig,
  type Reservation,
  type SubnetConfig,
} from '../../protocols/dhcp/config.ts'
import { parseHex } from '../../protocols/dhcp/text.ts'
import { parseIpv4 } from '../../protocols/wire/ipv4.ts'
import { given } from '../config/given.ts'
import type { DatabaseReader, RowReader } from './row-reader.ts'

const MILLISECONDS = 1000

/** The DHCP server of a router's interface; undefined, and told, when it could not serve. */
export function dhcpServerOf(lab: DatabaseReader, iface: RowReader): DhcpServerConfig | undefined {
  const row = lab.get('DHCP_Server', iface.text('dhcp'))
  const serverId = row?.address('server_id')
  if (row === undefined || serverId === undefined) return undefined
  const duration = (column: string) => {
    const seconds = row.optionalNumber(column)
    return seconds === undefined ? undefined : Math.round(seconds * MILLISECONDS)
  }
  const config: DhcpServerConfig = {
    serverId,
    subnets: lab.follow(row, 'subnets', 'DHCP_Subnet').flatMap((subnet) => subnetOf(lab, subnet) ?? []),
    ...given({
      probe: row.optionalFlag('probe'),
      authoritative: row.optionalFlag('authoritative'),
      offerTime: duration('offer_time'),
      quarantineTime: duration('quarantine_time'),
      maxOffers: row.optionalNumber('max_offers'),
      maxLeases: row.optionalNumber('max_leases'),
      maxMessageLength: row.optionalNumber('max_message_length'),
    }),
  }
  const [problem] = checkDhcpServerConfig(config)
  if (problem === undefined) return config
  iface.problem(`dhcp: ${problem.path}: ${problem.message}`)
  return undefined
}

function subnetOf(lab: DatabaseReader, row: RowReader): SubnetConfig | undefined {
  const subnet = row.prefix('subnet')
  if (subnet === undefined) return undefined
  const exclude = row
    .texts('exclude')
    .flatMap((text) => row.parsed('exclude', text, parseIpv4, 'address') ?? [])
  return {
    ...subnet,
    ranges: row.ranges('ranges'),
    leaseTime: row.number('lease_time'),
    ...given({
      minLeaseTime: row.optionalNumber('min_lease_time'),
      maxLeaseTime: row.optionalNumber('max_lease_time'),
      nextServer: row.address('next_server'),
      serverName: row.optionalText('server_name'),
      bootFile: row.optionalText('boot_file'),
    }),
    options: optionsOf(row),
    reservations: lab.follow(row, 'reservations', 'DHCP_Reservation').map(reservationOf),
    exclude: exclude.sort((a, b) => a - b),
  }
}

function reservationOf(row: RowReader): Reservation {
  const clientId = row.optionalText('client_id')
  const options = optionsOf(row)
  return given({
    mac: row.mac('mac'),
    clientId: row.parsed('client_id', clientId, parseHex, 'hexadecimal number'),
    address: row.address('address'),
    hostname: row.optionalText('hostname'),
    leaseTime: row.optionalNumber('lease_time'),
    options: options.size === 0 ? undefined : options,
  })
}

function optionsOf(row: RowReader): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>()
  for (const [code, text] of row.entries('options')) {
    const data = row.parsed(`options:${code}`, text as string, parseHex, 'hexadecimal number')
    if (data !== undefined) options.set(Number(code), data)
  }
  return options
}
