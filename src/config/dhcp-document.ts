import type { DhcpServerConfig, Reservation, SubnetConfig } from '../../protocols/dhcp/config.ts'
import { type OptionType, optionByCode } from '../../protocols/dhcp/option-table.ts'
import { encodeValue } from '../../protocols/dhcp/option-value.ts'
import { formatHex } from '../../protocols/dhcp/text.ts'
import type { Options } from '../../protocols/wire/dhcpv4.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import { contains, formatIpv4, formatPrefix, type Prefix } from '../../protocols/wire/ipv4.ts'
import { LEASE_TIME } from './defaults.ts'
import type { DhcpInput } from './dhcp.ts'
import { given } from './given.ts'

/** @param own addresses of the interface; the server serves the subnet of the first. */
export function dhcpDocument(config: DhcpServerConfig, own: readonly Prefix[]): DhcpInput {
  const { subnets, probe, authoritative } = config
  const local = subnets.find((subnet) => own[0] !== undefined && contains(subnet, own[0].address))
  const leaseTime = local?.leaseTime ?? LEASE_TIME
  const others = subnets.filter((subnet) => subnet !== local)
  return given({
    ...(local === undefined ? {} : subnetDocument(local, LEASE_TIME)),
    subnets:
      others.length === 0
        ? undefined
        : others.map((subnet) => ({ subnet: formatPrefix(subnet), ...subnetDocument(subnet, leaseTime) })),
    probe: probe === false ? false : undefined,
    authoritative: authoritative === true ? true : undefined,
  }) as DhcpInput
}

function subnetDocument(subnet: SubnetConfig, usualLeaseTime: number) {
  const ranges = subnet.ranges.map(({ first, last }) => [formatIpv4(first), formatIpv4(last)])
  const { minLeaseTime, maxLeaseTime, nextServer, serverName, bootFile, reservations = [] } = subnet
  return given({
    range: ranges.length === 1 ? ranges[0] : undefined,
    ranges: ranges.length > 1 ? ranges : undefined,
    leaseTime: subnet.leaseTime === usualLeaseTime ? undefined : subnet.leaseTime,
    minLeaseTime,
    maxLeaseTime,
    options: optionsDocument(subnet.options),
    reservations: reservations.length === 0 ? undefined : reservations.map(reservationDocument),
    nextServer: nextServer === undefined ? undefined : formatIpv4(nextServer),
    serverName,
    bootFile,
  })
}

function reservationDocument({ mac, clientId, address, hostname, leaseTime, options }: Reservation) {
  return given({
    mac: mac === undefined ? undefined : formatMac(mac),
    clientId: clientId && formatHex(clientId),
    address: address === undefined ? undefined : formatIpv4(address),
    hostname,
    leaseTime,
    options: optionsDocument(options),
  })
}

function optionsDocument(options: Options | undefined): Record<string, unknown> | undefined {
  if (options === undefined || options.size === 0) return undefined
  return Object.fromEntries([...options].map(([code, data]) => optionDocument(code, data)))
}

/** By its name with a value that people read, where that leads back to the same bytes; else by its number. */
function optionDocument(code: number, data: Uint8Array): [name: string, value: unknown] {
  const definition = optionByCode(code)
  const value = definition && readable(definition.type, data)
  if (definition !== undefined && value !== undefined) {
    const again = encodeValue(definition.type, value)
    if (again !== undefined && Buffer.compare(again, data) === 0) return [definition.names[0]!, value]
  }
  if (data.length === 0) return [String(code), { type: 'empty', value: true }]
  return [String(code), { type: 'hex', value: formatHex(data) }]
}

function readable(type: OptionType, data: Uint8Array): unknown {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const addresses = () =>
    Array.from({ length: data.length >>> 2 }, (_, i) => formatIpv4(view.getUint32(4 * i)))
  switch (type) {
    case 'ip':
      return addresses()[0]
    case 'ip-list':
      return addresses()
    case 'text':
      return new TextDecoder().decode(data)
    case 'u8':
      return data[0]
    case 'u16':
      return data.length === 2 ? view.getUint16(0) : undefined
    case 'u32':
      return data.length === 4 ? view.getUint32(0) : undefined
    case 'i32':
      return data.length === 4 ? view.getInt32(0) : undefined
    case 'bool':
      return data[0] === 1
    case 'u8-list':
      return [...data]
    case 'empty':
      return true
    default:
      return undefined
  }
}
