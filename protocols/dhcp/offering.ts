/**
 * From DHCPDISCOVER to DHCPOFFER: RFC 2131 §4.3.1, with the probe of §2.2 in between. An address is probed
 * before it is first offered; one that its client has or had, or that is reserved for it, is not.
 */

import { type Duration, type Instant, MINUTE, SECOND } from '../time.ts'
import {
  detached,
  OFFER,
  OPT_LEASE_TIME,
  OPT_REQUESTED_ADDRESS,
  optionU32,
  type Repr,
} from '../wire/dhcpv4.ts'
import type { AddressPool, Offer } from './address-pool.ts'
import type { ClientIdentity } from './client-identity.ts'
import { DEFAULT_OFFER_TIME, DEFAULT_QUARANTINE_TIME, type DhcpServerConfig } from './config.ts'
import type { LeaseRecord } from './lease-record.ts'
import { contextOf, grantedTime, leaseReply } from './reply.ts'
import type { DhcpServerCounters, DhcpServerSink } from './server-sink.ts'

/** How long an address gets to answer a probe (RFC 2131 leaves it open; clients retry after 3 to 5 s). */
export const PROBE_TIME: Duration = SECOND / 2
/** Addresses tried for one DHCPDISCOVER when probes find them in use. */
const MAX_CONFLICTS = 8
/** A pool that has refused nobody for so long is reported again the next time it runs dry. */
const EXHAUSTION_REARM: Duration = MINUTE

export class Offering {
  readonly #config: DhcpServerConfig
  readonly #sink: DhcpServerSink
  readonly #counters: DhcpServerCounters

  constructor(config: DhcpServerConfig, sink: DhcpServerSink, counters: DhcpServerCounters) {
    this.#config = config
    this.#sink = sink
    this.#counters = counters
  }

  /** A client looks for servers. One that has an offer gets the same again. */
  discover(now: Instant, pool: AddressPool, message: Repr, client: ClientIdentity): void {
    const standing = pool.offerTo(client.key)
    if (standing === undefined) this.#choose(now, pool, message, client, 0)
    else if (standing.state === 'probing') standing.discover = detached(message)
    else this.#send(now, pool, standing, message)
  }

  /** The probe of an address on offer has ended. */
  probed(now: Instant, pool: AddressPool, offer: Offer, inUse: boolean): void {
    const { discover, client, conflicts } = offer
    if (inUse) {
      pool.settle(offer)
      this.setAside(now, pool, offer.address, 'probe')
      if (discover !== undefined && conflicts + 1 < MAX_CONFLICTS) {
        this.#choose(now, pool, discover, client, conflicts + 1)
      }
      return
    }
    offer.probedAt = now
    if (discover !== undefined) this.#send(now, pool, offer, discover)
  }

  /** Takes an address that a stranger uses out of circulation for a while. */
  setAside(now: Instant, pool: AddressPool, address: number, seenBy: 'probe' | 'client'): void {
    const record: LeaseRecord = {
      address,
      state: 'declined',
      expires: now + (this.#config.quarantineTime ?? DEFAULT_QUARANTINE_TIME),
      htype: 0,
      chaddr: new Uint8Array(0),
      clientId: undefined,
      hostname: '',
    }
    pool.leases.put(record)
    this.#sink.commit(record, 0)
    this.#sink.log({ type: 'address-in-use', address, seenBy })
  }

  #choose(now: Instant, pool: AddressPool, message: Repr, client: ClientIdentity, conflicts: number): void {
    const requested = optionU32(message.options, OPT_REQUESTED_ADDRESS)
    const candidate = pool.choose(now, client, requested)
    if (candidate === 'busy') {
      this.#counters.busy++
      return
    }
    if (candidate === undefined) {
      this.#refuse(now, pool)
      return
    }
    if (pool.refused > 0 && now - pool.lastRefused > EXHAUSTION_REARM) pool.refused = 0
    const offer = pool.offer(now, client, candidate.address, candidate.probedAt)
    if (!candidate.probe || this.#config.probe === false) {
      this.#send(now, pool, offer, message)
      return
    }
    offer.state = 'probing'
    offer.discover = detached(message)
    offer.conflicts = conflicts
    pool.schedule(offer, now + PROBE_TIME)
    this.#sink.probe(offer.address)
  }

  #refuse(now: Instant, pool: AddressPool): void {
    this.#counters.refused++
    // Without ranges the subnet serves its reservations only, and strangers are nothing to report.
    if (pool.subnet.ranges.length === 0) return
    pool.refused++
    pool.lastRefused = now
    if (pool.refused > 1) return
    const { address, prefixLength } = pool.subnet
    this.#sink.log({ type: 'pool-exhausted', subnet: address, prefixLength })
  }

  #send(now: Instant, pool: AddressPool, offer: Offer, message: Repr): void {
    const context = contextOf(this.#config, pool, message, offer.client)
    const asked = optionU32(message.options, OPT_LEASE_TIME)
    offer.leaseTime = grantedTime(pool.subnet, context.reservation, asked)
    if (offer.state !== 'committing') {
      offer.state = 'offered'
      offer.discover = undefined
      pool.schedule(offer, now + (this.#config.offerTime ?? DEFAULT_OFFER_TIME))
    }
    this.#counters.offer++
    this.#sink.send(leaseReply(OFFER, context, offer.address, offer.leaseTime))
  }
}
