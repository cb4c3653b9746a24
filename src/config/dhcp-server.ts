import type { DhcpServerConfig, Reservation, SubnetConfig } from '../../protocols/dhcp/config.ts'
import type { OptionType } from '../../protocols/dhcp/option-table.ts'
import { type Encoded, encodeCustomOption, encodeNamedOption } from '../../protocols/dhcp/option-value.ts'
import { parseHex } from '../../protocols/dhcp/text.ts'
import { parseMac } from '../../protocols/wire/ethernet.ts'
import { contains, type Prefix } from '../../protocols/wire/ipv4.ts'
import { parseAddress, parsePrefix, subnetOf } from './address.ts'
import { LEASE_TIME } from './defaults.ts'
import type { DhcpInput, DhcpSubnetInput } from './dhcp.ts'
import { given } from './given.ts'

/** An option by name, or by number: of a known type, or of the one given in { "type", "value" }. */
export function encodeOption(name: string, value: unknown): Encoded {
  const custom = value as { type?: unknown; value?: unknown } | null
  if (
    /^\d+$/.test(name) &&
    typeof custom === 'object' &&
    custom !== null &&
    typeof custom.type === 'string'
  ) {
    return encodeCustomOption({ code: Number(name), type: custom.type as OptionType, value: custom.value })
  }
  return encodeNamedOption(name, value)
}

function options(input: Readonly<Record<string, unknown>>): Map<number, Uint8Array> {
  const encoded = new Map<number, Uint8Array>()
  for (const [name, value] of Object.entries(input)) {
    const option = encodeOption(name, value)
    if (option.ok) encoded.set(option.code, option.data)
  }
  return encoded
}

function reservation(r: NonNullable<DhcpSubnetInput['reservations']>[number]): Reservation {
  return given({
    mac: r.mac === undefined ? undefined : parseMac(r.mac),
    clientId: r.clientId === undefined ? undefined : parseHex(r.clientId.replaceAll(':', '')),
    address: parseAddress(r.address),
    hostname: r.hostname,
    leaseTime: r.leaseTime,
    options: r.options === undefined ? undefined : options(r.options),
  })
}

function subnetConfig(
  input: Omit<DhcpSubnetInput, 'subnet'>,
  subnet: Prefix,
  own: readonly Prefix[],
  leaseTime: number,
): SubnetConfig {
  const ranges = [...(input.range === undefined ? [] : [input.range]), ...(input.ranges ?? [])]
  return {
    ...subnet,
    ranges: ranges.map(([first, last]) => ({ first: parseAddress(first)!, last: parseAddress(last)! })),
    leaseTime: input.leaseTime ?? leaseTime,
    options: options(input.options ?? {}),
    reservations: (input.reservations ?? []).map(reservation),
    exclude: own.map((p) => p.address).filter((a) => contains(subnet, a)),
    ...given({
      minLeaseTime: input.minLeaseTime,
      maxLeaseTime: input.maxLeaseTime,
      nextServer: parseAddress(input.nextServer),
      serverName: input.serverName,
      bootFile: input.bootFile,
    }),
  }
}

/** @param own addresses of the interface; the first is the server's own and names the local subnet. */
export function dhcpServerConfig(input: DhcpInput, own: readonly Prefix[]): DhcpServerConfig {
  const { subnets, probe, authoritative, ...local } = input
  const leaseTime = local.leaseTime ?? LEASE_TIME
  return {
    serverId: own[0]!.address,
    subnets: [
      subnetConfig(local, subnetOf(own[0]!), own, leaseTime),
      ...(subnets ?? []).map((s) => subnetConfig(s, subnetOf(parsePrefix(s.subnet)!), own, leaseTime)),
    ],
    probe: probe ?? true,
    authoritative: authoritative ?? false,
  }
}
