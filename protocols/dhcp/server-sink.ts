/** What goes out of the server machine besides messages, and what it counts. */

import type { Instant } from '../time.ts'
import type { LeaseRecord } from './lease-record.ts'
import type { LeaseState } from './lease-table.ts'
import type { Reply } from './reply.ts'

/** What an operator should hear of. None of them comes once per packet. */
export type DhcpServerEvent =
  | { readonly type: 'pool-exhausted'; readonly subnet: number; readonly prefixLength: number }
  | { readonly type: 'address-in-use'; readonly address: number; readonly seenBy: 'probe' | 'client' }
  | { readonly type: 'no-subnet'; readonly giaddr: number }

export interface DhcpServerSink {
  send(reply: Reply): void
  /** Find out whether anyone uses the address; answer by `probeResult`. Silence for PROBE_TIME means no. */
  probe(address: number): void
  /**
   * Make the record durable, after all records before it. With a token other than 0 a reply waits: call
   * `committed` or `commitFailed`, not from within this call.
   */
  commit(record: LeaseRecord, token: number): void
  log(event: DhcpServerEvent): void
}

/** A row of `show leases`. */
export interface LeaseRow {
  readonly address: number
  readonly mac: number | undefined
  readonly clientId: Uint8Array | undefined
  readonly hostname: string
  readonly state: LeaseState | 'offered'
  readonly expires: Instant
}

export interface DhcpServerCounters {
  received: number
  malformed: number
  /** Replies of other servers, BOOTP without a message type, clients without an identity, unknown types. */
  ignored: number
  /** From relay agents of subnets that are not configured. */
  noSubnet: number
  discover: number
  request: number
  decline: number
  release: number
  inform: number
  offer: number
  ack: number
  nak: number
  /** Requests that RFC 2131 wants left unanswered. */
  silent: number
  /** DHCPDISCOVERs for which no address was left. */
  refused: number
  /** Dropped because too many offers were fresh or too many leases on their way into the journal. */
  busy: number
  /** Leases that could not be made durable. */
  commitFailed: number
}

export function newCounters(): DhcpServerCounters {
  return {
    received: 0,
    malformed: 0,
    ignored: 0,
    noSubnet: 0,
    discover: 0,
    request: 0,
    decline: 0,
    release: 0,
    inform: 0,
    offer: 0,
    ack: 0,
    nak: 0,
    silent: 0,
    refused: 0,
    busy: 0,
    commitFailed: 0,
  }
}
