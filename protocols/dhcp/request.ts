/**
 * What a DHCPREQUEST is and what it deserves: RFC 2131 §4.3.2 and its table 4.
 *
 * |                | SELECTING  | INIT-REBOOT | RENEWING  | REBINDING |
 * |----------------|------------|-------------|-----------|-----------|
 * | sent by        | broadcast  | broadcast   | unicast   | broadcast |
 * | server id      | must       | must not    | must not  | must not  |
 * | requested addr | must       | must        | must not  | must not  |
 * | ciaddr         | zero       | zero        | address   | address   |
 */

import { OPT_REQUESTED_ADDRESS, OPT_SERVER_ID, optionU32, type Repr } from '../wire/dhcpv4.ts'
import { BROADCAST } from '../wire/ipv4.ts'
import type { AddressPool } from './address-pool.ts'
import type { ClientIdentity } from './client-identity.ts'
import { NO_LEASE } from './lease-table.ts'

export type RequestKind = 'selecting' | 'init-reboot' | 'renewing' | 'rebinding'

export interface Request {
  readonly kind: RequestKind
  readonly address: number
  /** The server selected, in SELECTING. */
  readonly serverId: number | undefined
}

/** Tells the client's state from the message; `undefined` for one that no state sends. */
export function classifyRequest(message: Repr, destinationIp: number): Request | undefined {
  const serverId = optionU32(message.options, OPT_SERVER_ID)
  const requested = optionU32(message.options, OPT_REQUESTED_ADDRESS)
  if (message.options.has(OPT_SERVER_ID) && serverId === undefined) return undefined
  if (serverId !== undefined) {
    if (requested === undefined || requested === 0 || message.ciaddr !== 0) return undefined
    return { kind: 'selecting', address: requested, serverId }
  }
  if (message.ciaddr !== 0) {
    // Table 4 forbids the requested address here; clients that send it mean the same address.
    if (requested !== undefined && requested !== message.ciaddr) return undefined
    const unicast = destinationIp !== BROADCAST && message.giaddr === 0
    return { kind: unicast ? 'renewing' : 'rebinding', address: message.ciaddr, serverId }
  }
  if (requested === undefined || requested === 0) return undefined
  return { kind: 'init-reboot', address: requested, serverId }
}

export type Verdict =
  | { readonly act: 'ack' }
  | { readonly act: 'silence' }
  | { readonly act: 'nak'; readonly why: string }

const ACK: Verdict = { act: 'ack' }
const SILENCE: Verdict = { act: 'silence' }

function nak(why: string): Verdict {
  return { act: 'nak', why }
}

/**
 * Judges a request that is for this server or for all.
 * @param authoritative refuse where the RFC wants silence for want of a record
 */
export function judge(
  request: Request,
  client: ClientIdentity,
  pool: AddressPool,
  authoritative: boolean,
): Verdict {
  const { kind, address } = request
  if (!pool.contains(address)) return nak('address is not on this network')
  const allowed = pool.mayHave(client, address)
  if (kind === 'selecting') return allowed ? ACK : nak('address is not available')

  const { leases } = pool
  const own = leases.of(client.key)
  const reserved = pool.reservationOf(client)?.address === address
  if (own === NO_LEASE && !reserved) {
    // Not our client: whoever leased the address answers (§4.3.2, INIT-REBOOT). But an address that we leased to
    // another must not be used on.
    const taken = leases.isBound(leases.at(address))
    if (kind !== 'init-reboot' && taken) return nak('address belongs to another client')
    return authoritative ? nak('no such lease') : SILENCE
  }
  if (!reserved && leases.addressOf(own) !== address) return nak('another address is leased to you')
  return allowed ? ACK : nak('address is no longer available')
}
