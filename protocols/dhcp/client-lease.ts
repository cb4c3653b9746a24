/** What a client makes of an OFFER or ACK: RFC 2132, RFC 3442 (routes). */

import { u32 } from '../wire/big-endian.ts'
import {
  OPT_BROADCAST_ADDRESS,
  OPT_CLASSLESS_ROUTES,
  OPT_DOMAIN_NAME,
  OPT_DOMAIN_NAME_SERVERS,
  OPT_INTERFACE_MTU,
  OPT_LEASE_TIME,
  OPT_NTP_SERVERS,
  OPT_REBINDING_TIME,
  OPT_RENEWAL_TIME,
  OPT_ROUTER,
  OPT_SERVER_ID,
  OPT_SUBNET_MASK,
  type Options,
  optionU16,
  optionU32,
  type Repr,
} from '../wire/dhcpv4.ts'
import { mask, network } from '../wire/ipv4.ts'
import { INFINITE_LEASE } from './config.ts'
import { parseDomainList } from './domain-list.ts'
import { printableText } from './text.ts'

const OPT_DOMAIN_SEARCH = 119
/** RFC 2132 §5.1: no interface has a smaller MTU. */
const MIN_MTU = 68

/** What to ask for. RFC 3442: classless routes before routers and static routes. */
export const PARAMETERS_WANTED = Uint8Array.of(
  OPT_SUBNET_MASK,
  OPT_CLASSLESS_ROUTES,
  OPT_ROUTER,
  OPT_DOMAIN_NAME_SERVERS,
  OPT_DOMAIN_NAME,
  OPT_DOMAIN_SEARCH,
  OPT_INTERFACE_MTU,
  OPT_BROADCAST_ADDRESS,
  OPT_NTP_SERVERS,
  OPT_LEASE_TIME,
  OPT_RENEWAL_TIME,
  OPT_REBINDING_TIME,
)

export interface ClientRoute {
  readonly prefix: number
  readonly prefixLength: number
  /** 0 for a destination on the link itself. */
  readonly via: number
}

/** How an interface is to be configured. */
export interface ClientLease {
  readonly address: number
  readonly prefixLength: number
  /** First router; `undefined` when there is none, or when classless routes take its place. */
  readonly router: number | undefined
  /** Static routes, a default route included (RFC 3442). */
  readonly routes: readonly ClientRoute[]
  readonly dns: readonly number[]
  readonly ntp: readonly number[]
  readonly domainName: string | undefined
  readonly domainSearch: readonly string[]
  readonly broadcast: number | undefined
  readonly mtu: number | undefined
  readonly serverId: number
  /** Seconds; INFINITE_LEASE for ever. T1 and T2 as well. */
  readonly leaseTime: number
  readonly renewalTime: number
  readonly rebindingTime: number
  /** Everything as it came. */
  readonly options: Options
}

function addresses(options: Options, code: number): number[] {
  const data = options.get(code)
  if (data === undefined) return []
  const list: number[] = []
  for (let at = 0; at + 4 <= data.length; at += 4) list.push(u32(data, at))
  return list
}

function prefixLengthOf(options: Options, address: number): number {
  const given = optionU32(options, OPT_SUBNET_MASK)
  if (given !== undefined) {
    const prefixLength = Math.clz32(~given)
    if (prefixLength > 0 && mask(prefixLength) === given) return prefixLength
  }
  // Without a mask the address class says it (RFC 950 §2.1).
  if (address >>> 31 === 0) return 8
  return address >>> 30 === 2 ? 16 : 24
}

/** RFC 3442; `undefined` when the option is malformed. */
export function parseRoutes(data: Uint8Array): ClientRoute[] | undefined {
  const routes: ClientRoute[] = []
  let at = 0
  while (at < data.length) {
    const prefixLength = data[at++]
    const significant = Math.ceil(prefixLength / 8)
    if (prefixLength > 32 || at + significant + 4 > data.length) return undefined
    let address = 0
    for (let i = 0; i < 4; i++) address = address * 256 + (i < significant ? data[at + i] : 0)
    at += significant
    // Bits of the last byte beyond the prefix are to be ignored.
    routes.push({ prefix: network({ address, prefixLength }), prefixLength, via: u32(data, at) })
    at += 4
  }
  return routes
}

/**
 * The lease that an ACK or OFFER describes. `undefined` when it lacks what RFC 2131 table 3 demands: an
 * address, the server's identifier and a lease time.
 */
export function leaseOf(message: Repr): ClientLease | undefined {
  const { options, yiaddr } = message
  const serverId = optionU32(options, OPT_SERVER_ID)
  const leaseTime = optionU32(options, OPT_LEASE_TIME)
  if (yiaddr === 0 || yiaddr >>> 28 >= 14 || serverId === undefined || serverId === 0) return undefined
  if (leaseTime === undefined || leaseTime === 0) return undefined
  const forEver = leaseTime === INFINITE_LEASE
  let rebindingTime = optionU32(options, OPT_REBINDING_TIME) ?? Math.floor((leaseTime * 7) / 8)
  if (rebindingTime >= leaseTime) rebindingTime = Math.floor((leaseTime * 7) / 8)
  let renewalTime = optionU32(options, OPT_RENEWAL_TIME) ?? Math.floor(leaseTime / 2)
  if (renewalTime >= rebindingTime) renewalTime = Math.min(Math.floor(leaseTime / 2), rebindingTime)
  const classless = options.get(OPT_CLASSLESS_ROUTES)
  const routes = classless === undefined ? undefined : parseRoutes(classless)
  const mtu = optionU16(options, OPT_INTERFACE_MTU)
  const domainName = options.get(OPT_DOMAIN_NAME)
  const search = options.get(OPT_DOMAIN_SEARCH)
  return {
    address: yiaddr,
    prefixLength: prefixLengthOf(options, yiaddr),
    // RFC 3442: a client that gets classless routes ignores the router option.
    router: routes === undefined ? addresses(options, OPT_ROUTER)[0] : undefined,
    routes: routes ?? [],
    dns: addresses(options, OPT_DOMAIN_NAME_SERVERS),
    ntp: addresses(options, OPT_NTP_SERVERS),
    domainName: domainName === undefined ? undefined : printableText(domainName),
    domainSearch: search === undefined ? [] : (parseDomainList(search) ?? []),
    broadcast: optionU32(options, OPT_BROADCAST_ADDRESS),
    mtu: mtu !== undefined && mtu >= MIN_MTU ? mtu : undefined,
    serverId,
    leaseTime,
    renewalTime: forEver ? INFINITE_LEASE : renewalTime,
    rebindingTime: forEver ? INFINITE_LEASE : rebindingTime,
    options,
  }
}
