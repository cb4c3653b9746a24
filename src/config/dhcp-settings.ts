import { parseMac } from '../../protocols/wire/ethernet.ts'
import type { Prefix } from '../../protocols/wire/ipv4.ts'
import { parseAddress, parsePrefix, subnetOf } from './address.ts'
import type { DhcpInput, OptionInput, PoolInput } from './dhcp.ts'

/** A DHCP server on one interface of a router. Times in seconds. */
export interface DhcpSettings {
  readonly pools: readonly DhcpPoolSettings[]
  readonly conflictProbe: boolean
  readonly authoritative: boolean
}

export interface DhcpPoolSettings {
  /** Without host bits. */
  readonly subnet: Prefix
  /** First and last address given out; undefined for a pool of reservations alone. */
  readonly range: { readonly first: number; readonly last: number } | undefined
  readonly leaseTime: number
  readonly minLeaseTime: number | undefined
  readonly maxLeaseTime: number | undefined
  readonly renewalTime: number | undefined
  readonly rebindingTime: number | undefined
  readonly options: Readonly<Record<string, OptionInput>>
  readonly reservations: readonly DhcpReservationSettings[]
}

export interface DhcpReservationSettings {
  readonly mac: number | undefined
  /** Option 61 whole, in lower-case hexadecimal. */
  readonly clientId: string | undefined
  readonly address: number
  readonly hostname: string | undefined
  readonly options: Readonly<Record<string, OptionInput>>
}

/** Seconds a lease lasts when nobody says otherwise. */
const DEFAULT_LEASE_TIME = 86400

function pool(input: PoolInput, own: Prefix, leaseTime: number): DhcpPoolSettings {
  const range = input.range
  return {
    subnet: subnetOf(parsePrefix(input.subnet) ?? own),
    range:
      range === undefined ? undefined : { first: parseAddress(range[0])!, last: parseAddress(range[1])! },
    leaseTime: input.leaseTime ?? leaseTime,
    minLeaseTime: input.minLeaseTime,
    maxLeaseTime: input.maxLeaseTime,
    renewalTime: input.renewalTime,
    rebindingTime: input.rebindingTime,
    options: input.options ?? {},
    reservations: (input.reservations ?? []).map((r) => ({
      mac: r.mac === undefined ? undefined : parseMac(r.mac),
      clientId: r.clientId?.replaceAll(':', '').toLowerCase(),
      address: parseAddress(r.address)!,
      hostname: r.hostname,
      options: r.options ?? {},
    })),
  }
}

/** @param own the first address of the interface, whose subnet the pools have unless they name another. */
export function dhcpSettings(input: DhcpInput, own: Prefix): DhcpSettings {
  const { pools, conflictProbe, authoritative, ...first } = input
  const leaseTime = first.leaseTime ?? DEFAULT_LEASE_TIME
  const further = (pools ?? []).map((p) => pool(p, own, leaseTime))
  const stands = first.range !== undefined || first.reservations !== undefined || further.length === 0
  return {
    pools: stands ? [pool(first, own, leaseTime), ...further] : further,
    conflictProbe: conflictProbe ?? true,
    authoritative: authoritative ?? true,
  }
}
