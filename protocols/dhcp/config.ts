/**
 * What a DHCP server is told: plain values, numbers already parsed. IPv4 addresses are unsigned 32-bit numbers,
 * MAC addresses 48-bit numbers, times of leases are seconds as on the wire, other times are milliseconds.
 */

import { type Duration, HOUR, SECOND } from '../time.ts'
import type { Options } from '../wire/dhcpv4.ts'
import { broadcast, contains, formatIpv4, formatPrefix, network, type Prefix } from '../wire/ipv4.ts'

/** A lease time that never ends (RFC 2131 §3.3). */
export const INFINITE_LEASE = 0xffff_ffff

export interface AddressRange {
  readonly first: number
  readonly last: number
}

/** An address or options for one client. With both `mac` and `clientId`, either of them is enough. */
export interface Reservation {
  readonly mac?: number
  /** Data of the client identifier option, type byte included (RFC 2132 §9.14, RFC 4361). */
  readonly clientId?: Uint8Array
  readonly address?: number
  /** Sent as option 12 and listed as the lease's host name. */
  readonly hostname?: string
  /** Before those of the subnet. */
  readonly options?: Options
  /** Seconds. */
  readonly leaseTime?: number
}

/** One subnet: that of the interface, or one reached through relay agents. */
export interface SubnetConfig {
  readonly address: number
  readonly prefixLength: number
  /** Pools, taken in this order. */
  readonly ranges: readonly AddressRange[]
  /** Seconds granted when the client asks for no time of its own. */
  readonly leaseTime: number
  /** Seconds; bounds on what a client may ask for. Default: 60 (or `leaseTime` if shorter) and `leaseTime`. */
  readonly minLeaseTime?: number
  readonly maxLeaseTime?: number
  /** Encoded option data by code, see option-value.ts. */
  readonly options?: Options
  readonly reservations?: readonly Reservation[]
  /** Addresses in the ranges that are not given out, such as the router's own. */
  readonly exclude?: readonly number[]
  /** `siaddr`, `sname` and `file` of replies: where the client boots from. */
  readonly nextServer?: number
  readonly serverName?: string
  readonly bootFile?: string
}

export interface DhcpServerConfig {
  /** The server identifier: the interface's own address, source of all replies. */
  readonly serverId: number
  /** The one that contains `serverId` is the subnet of the interface. */
  readonly subnets: readonly SubnetConfig[]
  /**
   * Answer DHCPNAK also to clients without a record who ask for an address we could not confirm. RFC 2131
   * §4.3.2 wants silence there, so that servers can share a network. Default false.
   */
  readonly authoritative?: boolean
  /** Probe an address before its first offer (RFC 2131 §2.2). Default true. */
  readonly probe?: boolean
  /** How long an address is held for the client it was offered to. Default 30 s. */
  readonly offerTime?: Duration
  /** How long an address that is in use by a stranger is set aside. Default 1 h. */
  readonly quarantineTime?: Duration
  /** Offers to unknown clients outstanding at the most, per subnet; those older than 1 s give way. Default 8,192. */
  readonly maxOffers?: number
  /** Addresses remembered at the most, per subnet. Default 262,144. */
  readonly maxLeases?: number
  /** Longest message sent, in bytes of UDP payload. Default 1,472. */
  readonly maxMessageLength?: number
}

export const DEFAULT_OFFER_TIME: Duration = 30 * SECOND
export const DEFAULT_QUARANTINE_TIME: Duration = HOUR
export const DEFAULT_MAX_OFFERS = 8192
export const DEFAULT_MAX_LEASES = 262_144
export const DEFAULT_MAX_MESSAGE_LENGTH = 1500 - 28

export type DhcpConfigErrorCode =
  | 'RANGE_OUTSIDE_SUBNET'
  | 'RANGE_REVERSED'
  | 'RANGES_OVERLAP'
  | 'RESERVATION_OUTSIDE_SUBNET'
  | 'RESERVATION_WITHOUT_CLIENT'
  | 'RESERVATION_ADDRESS_UNUSABLE'
  | 'DUPLICATE_RESERVATION'
  | 'BAD_LEASE_TIME'
  | 'SUBNETS_OVERLAP'
  | 'NO_LOCAL_SUBNET'
  | 'BAD_TEXT_LENGTH'

/** What is wrong with a configuration; `path` names the place, as in `subnets[0].ranges[1]`. */
export interface DhcpConfigProblem {
  readonly code: DhcpConfigErrorCode
  readonly path: string
  readonly message: string
}

function leaseTimeOk(seconds: number | undefined): boolean {
  return seconds === undefined || (Number.isInteger(seconds) && seconds >= 1 && seconds <= INFINITE_LEASE)
}

/** Everything that is wrong with a configuration; empty when a server can be made of it. */
export function checkDhcpServerConfig(config: DhcpServerConfig): DhcpConfigProblem[] {
  const problems: DhcpConfigProblem[] = []
  const report = (code: DhcpConfigErrorCode, path: string, message: string) =>
    problems.push({ code, path, message })
  if (!config.subnets.some((s) => contains(s, config.serverId))) {
    report('NO_LOCAL_SUBNET', 'subnets', `no subnet contains the server's own ${formatIpv4(config.serverId)}`)
  }
  config.subnets.forEach((subnet, i) => {
    const at = `subnets[${i}]`
    const other = config.subnets.findIndex((s) => contains(s, subnet.address) || contains(subnet, s.address))
    if (other < i) report('SUBNETS_OVERLAP', at, `${formatPrefix(subnet)} overlaps subnets[${other}]`)
    checkRanges(subnet, at, report)
    checkReservations(subnet, at, report)
    for (const key of ['leaseTime', 'minLeaseTime', 'maxLeaseTime'] as const) {
      if (!leaseTimeOk(subnet[key])) {
        report(
          'BAD_LEASE_TIME',
          `${at}.${key}`,
          `${subnet[key]} is no lease time of 1 to ${INFINITE_LEASE} seconds`,
        )
      }
    }
    if ((subnet.minLeaseTime ?? 0) > (subnet.maxLeaseTime ?? INFINITE_LEASE)) {
      report('BAD_LEASE_TIME', `${at}.minLeaseTime`, 'the shortest lease time is longer than the longest')
    }
    if ((subnet.serverName?.length ?? 0) > 63) {
      report('BAD_TEXT_LENGTH', `${at}.serverName`, 'a server name has at most 63 characters')
    }
    if ((subnet.bootFile?.length ?? 0) > 127) {
      report('BAD_TEXT_LENGTH', `${at}.bootFile`, 'a boot file name has at most 127 characters')
    }
  })
  return problems
}

type Report = (code: DhcpConfigErrorCode, path: string, message: string) => void

function checkRanges(subnet: SubnetConfig, at: string, report: Report): void {
  const sorted = subnet.ranges.map((range, i) => ({ ...range, path: `${at}.ranges[${i}]` }))
  for (const r of sorted) {
    if (r.first > r.last) {
      report('RANGE_REVERSED', r.path, `${formatIpv4(r.first)} is behind ${formatIpv4(r.last)}`)
    }
    for (const end of [r.first, r.last]) {
      if (!contains(subnet, end)) {
        report('RANGE_OUTSIDE_SUBNET', r.path, `${formatIpv4(end)} is not in ${formatPrefix(subnet)}`)
      }
    }
  }
  sorted.sort((a, b) => a.first - b.first)
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i].first <= sorted[i - 1].last) {
      report('RANGES_OVERLAP', sorted[i].path, `overlaps ${sorted[i - 1].path}`)
    }
  }
}

function checkReservations(subnet: SubnetConfig, at: string, report: Report): void {
  const seen = new Map<string, string>()
  subnet.reservations?.forEach((r, i) => {
    const path = `${at}.reservations[${i}]`
    if (r.mac === undefined && r.clientId === undefined) {
      report('RESERVATION_WITHOUT_CLIENT', path, 'needs a MAC address or a client identifier')
    }
    if (!leaseTimeOk(r.leaseTime)) {
      report('BAD_LEASE_TIME', `${path}.leaseTime`, `${r.leaseTime} is no lease time`)
    }
    const keys = [
      r.mac === undefined ? undefined : 'the MAC address of',
      r.clientId === undefined ? undefined : 'the client identifier of',
    ]
    const values = [`m${r.mac}`, `c${r.clientId?.join('.')}`]
    keys.forEach((what, k) => {
      if (what === undefined) return
      const before = seen.get(values[k])
      if (before !== undefined) report('DUPLICATE_RESERVATION', path, `has ${what} ${before}`)
      else seen.set(values[k], path)
    })
    if (r.address === undefined) return
    if (!contains(subnet, r.address)) {
      const where = `${formatIpv4(r.address)} is not in ${formatPrefix(subnet)}`
      report('RESERVATION_OUTSIDE_SUBNET', `${path}.address`, where)
    } else if (!isHostAddress(subnet, r.address) || subnet.exclude?.includes(r.address)) {
      report(
        'RESERVATION_ADDRESS_UNUSABLE',
        `${path}.address`,
        `${formatIpv4(r.address)} is no host's address`,
      )
    }
  })
}

/** Whether a host may have the address: in the subnet, and neither its network nor its broadcast address. */
export function isHostAddress(subnet: Prefix, address: number): boolean {
  if (!contains(subnet, address) || address === 0) return false
  return subnet.prefixLength >= 31 || (address !== network(subnet) && address !== broadcast(subnet))
}
