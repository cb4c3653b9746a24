import type { DhcpServerConfig, Reservation, SubnetConfig } from '../../protocols/dhcp/config.ts'
import { formatHex } from '../../protocols/dhcp/text.ts'
import type { Duration } from '../../protocols/time.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import { formatIpv4, formatPrefix } from '../../protocols/wire/ipv4.ts'
import { formatRange } from './row-reader.ts'
import { listOf, mapOf, optional, type Reference, scalar, setOf, type WantedRows } from './wanted-row.ts'

const MILLISECONDS = 1000

export function dhcpServerRow(rows: WantedRows, name: string, config: DhcpServerConfig): Reference {
  return rows.add('DHCP_Server', name, {
    server_id: scalar(formatIpv4(config.serverId)),
    subnets: listOf(config.subnets.map((subnet, i) => subnetRow(rows, `${name}/${i}`, subnet))),
    probe: optional(config.probe),
    authoritative: optional(config.authoritative),
    offer_time: seconds(config.offerTime),
    quarantine_time: seconds(config.quarantineTime),
    max_offers: optional(config.maxOffers),
    max_leases: optional(config.maxLeases),
    max_message_length: optional(config.maxMessageLength),
  })
}

function seconds(span: Duration | undefined) {
  return optional(span === undefined ? undefined : span / MILLISECONDS)
}

function subnetRow(rows: WantedRows, name: string, subnet: SubnetConfig): Reference {
  return rows.add('DHCP_Subnet', name, {
    subnet: scalar(formatPrefix(subnet)),
    ranges: listOf(subnet.ranges.map(formatRange)),
    lease_time: scalar(subnet.leaseTime),
    min_lease_time: optional(subnet.minLeaseTime),
    max_lease_time: optional(subnet.maxLeaseTime),
    options: optionColumn(subnet.options),
    reservations: listOf((subnet.reservations ?? []).map((r, i) => reservationRow(rows, `${name}/${i}`, r))),
    exclude: setOf((subnet.exclude ?? []).map(formatIpv4)),
    next_server: address(subnet.nextServer),
    server_name: optional(subnet.serverName),
    boot_file: optional(subnet.bootFile),
  })
}

function reservationRow(rows: WantedRows, name: string, reservation: Reservation): Reference {
  const { mac, clientId } = reservation
  return rows.add('DHCP_Reservation', name, {
    mac: optional(mac === undefined ? undefined : formatMac(mac)),
    client_id: optional(clientId === undefined ? undefined : formatHex(clientId)),
    address: address(reservation.address),
    hostname: optional(reservation.hostname),
    options: optionColumn(reservation.options),
    lease_time: optional(reservation.leaseTime),
  })
}

function address(value: number | undefined) {
  return optional(value === undefined ? undefined : formatIpv4(value))
}

function optionColumn(options: SubnetConfig['options']) {
  return mapOf([...(options ?? [])].map(([code, data]) => [code, formatHex(data)] as const))
}
