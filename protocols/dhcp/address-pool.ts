/**
 * Which address a client of one subnet gets: RFC 2131 §4.3.1. A reservation comes first, then the address the
 * client has or had, then the one it asks for, then one that nobody had, then the one whose lease ended
 * longest ago. When nothing is left, an offer nobody has taken up for a second gives way: a flood of made-up
 * clients cannot keep real ones out.
 *
 * Offers live in memory only, at most `maxOffers` of them to clients we do not know; when there are so many, the
 * oldest gives way in the same manner, and a new client waits while all are fresh. An offer also stands for an address whose lease is
 * on its way into the journal; such an offer neither expires nor gives way.
 */

import { type Duration, earlier, type Instant, MINUTE, SECOND } from '../time.ts'
import type { Repr } from '../wire/dhcpv4.ts'
import { contains } from '../wire/ipv4.ts'
import { AddressIndex } from './address-index.ts'
import { type ClientIdentity, keyOfClientId } from './client-identity.ts'
import {
  DEFAULT_MAX_LEASES,
  DEFAULT_MAX_OFFERS,
  type DhcpServerConfig,
  isHostAddress,
  type Reservation,
  type SubnetConfig,
} from './config.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import { Fifo } from './fifo.ts'
import { type Lease, LeaseTable, NO_LEASE } from './lease-table.ts'
import { Numbered } from './numbered.ts'
import { VacantAddresses } from './vacant-addresses.ts'

/** An offer that is not taken up may be given to another after this time, when no other address is left. */
export const OFFER_STANDS: Duration = SECOND
/** How long the silence of an address is believed. */
const PROBE_VALID: Duration = 5 * MINUTE

export interface Offer {
  /** Among those of the pool that stand. */
  readonly id: number
  readonly address: number
  readonly client: ClientIdentity
  state: 'probing' | 'offered' | 'committing'
  since: Instant
  /** When the address was found silent. */
  probedAt: Instant
  /** Seconds offered. */
  leaseTime: number
  /** The DHCPDISCOVER that waits for the probe. */
  discover: Repr | undefined
  /** Addresses that a probe of this DHCPDISCOVER has found in use. */
  conflicts: number
  /** Commit on its way while `committing`. */
  token: number
}

/** An address for a client, and whether to probe it first. */
export interface Candidate {
  readonly address: number
  readonly probe: boolean
  readonly probedAt: Instant
}

export class AddressPool {
  readonly subnet: SubnetConfig
  readonly leases = new LeaseTable()
  /** Requests turned away since the pool ran dry, and when the last was. */
  refused = 0
  lastRefused: Instant = 0

  readonly #maxOffers: number
  readonly #maxLeases: number
  readonly #vacant: VacantAddresses
  readonly #excluded: ReadonlySet<number>
  readonly #byMac = new Map<number, Reservation>()
  readonly #byClientId = new Map<string, Reservation>()
  readonly #reserved = new Set<number>()
  readonly #offers = new Numbered<Offer>()
  readonly #offerAt = new AddressIndex()
  readonly #offerOf = new Map<string, number>()
  readonly #due = new DeadlineHeap()
  /** Offers of pool addresses that may give way, oldest first. */
  readonly #evictable = new Fifo()
  readonly #free: (address: number) => boolean

  constructor(subnet: SubnetConfig, config: DhcpServerConfig) {
    this.subnet = subnet
    this.#maxOffers = config.maxOffers ?? DEFAULT_MAX_OFFERS
    this.#maxLeases = config.maxLeases ?? DEFAULT_MAX_LEASES
    this.#vacant = new VacantAddresses(subnet.ranges)
    this.#excluded = new Set(subnet.exclude)
    for (const r of subnet.reservations ?? []) {
      if (r.mac !== undefined) this.#byMac.set(r.mac, r)
      if (r.clientId !== undefined) this.#byClientId.set(keyOfClientId(r.clientId), r)
      if (r.address !== undefined) this.#reserved.add(r.address)
    }
    this.#free = (address) =>
      this.leases.at(address) === NO_LEASE && this.#offerAt.get(address) < 0 && this.#forAnyone(address)
  }

  get offers(): number {
    return this.#offers.size
  }

  allOffers(): IterableIterator<Offer> {
    return this.#offers.values()
  }

  contains(address: number): boolean {
    return contains(this.subnet, address)
  }

  /** Whether leases of the address belong into this pool: dynamic or reserved. */
  covers(address: number): boolean {
    return this.#reserved.has(address) || this.#forAnyone(address)
  }

  /** By client identifier first, then by MAC address. */
  reservationOf(client: ClientIdentity): Reservation | undefined {
    const byId = client.clientId === undefined ? undefined : this.#byClientId.get(client.key)
    return byId ?? (client.mac === undefined ? undefined : this.#byMac.get(client.mac))
  }

  offerTo(key: string): Offer | undefined {
    return this.#offers.get(this.#offerOf.get(key) ?? -1)
  }

  offerAt(address: number): Offer | undefined {
    return this.#offers.get(this.#offerAt.get(address))
  }

  /**
   * Whether the client may have the address now, as far as this server knows. One with a reservation may have
   * another address only while the reserved one is taken.
   */
  mayHave(client: ClientIdentity, address: number): boolean {
    const reserved = this.reservationOf(client)?.address
    if (reserved === address) return this.#untaken(client, address)
    if (reserved !== undefined && this.#untaken(client, reserved)) return false
    return this.#forAnyone(address) && this.#untaken(client, address)
  }

  /**
   * Chooses an address to offer; `undefined` when there is none, `busy` when there are too many fresh offers.
   * Clients with an address of their own are served all the same.
   */
  choose(
    now: Instant,
    client: ClientIdentity,
    requested: number | undefined,
  ): Candidate | 'busy' | undefined {
    const reserved = this.reservationOf(client)?.address
    if (reserved !== undefined && this.#untaken(client, reserved)) {
      return { address: reserved, probe: false, probedAt: now }
    }
    const own = this.leases.of(client.key)
    const before = this.leases.addressOf(own)
    if (own !== NO_LEASE && this.mayHave(client, before)) {
      return { address: before, probe: false, probedAt: now }
    }
    if (this.#offers.size >= this.#maxOffers && !this.#evictOldest(now)) return 'busy'
    if (requested !== undefined && this.mayHave(client, requested) && this.makeRoom(requested)) {
      return this.#candidate(now, requested, this.#vacant.probedAt(requested))
    }
    return this.#next(now) ?? (this.#evictOldest(now) ? this.#next(now) : undefined)
  }

  /** Whether a lease on the address could be remembered: it has a place, or one is made. */
  makeRoom(address: number): boolean {
    if (this.leases.size < this.#maxLeases || this.leases.at(address) !== NO_LEASE) return true
    const oldest = this.leases.oldestEnded
    if (oldest === NO_LEASE) return false
    this.#forget(oldest)
    return true
  }

  /** Records an offer in place of any other to this client. */
  offer(now: Instant, client: ClientIdentity, address: number, probedAt: Instant): Offer {
    const before = this.offerTo(client.key)
    if (before !== undefined) this.withdraw(before)
    const offer: Offer = {
      id: this.#offers.take(),
      address,
      client,
      state: 'offered',
      since: now,
      probedAt,
      leaseTime: 0,
      discover: undefined,
      conflicts: 0,
      token: 0,
    }
    this.#offers.set(offer.id, offer)
    this.#offerAt.set(address, offer.id)
    this.#offerOf.set(client.key, offer.id)
    const lease = this.leases.at(address)
    if (lease !== NO_LEASE) this.leases.holdBack(lease)
    // Only what frees an address for anyone may give way.
    if (!this.leases.isActive(lease) && !this.#reserved.has(address)) this.#evictable.push(offer.id)
    return offer
  }

  /** Sets when `popDueOffer` yields the offer. */
  schedule(offer: Offer, deadline: Instant): void {
    this.#due.schedule(offer.id, deadline)
  }

  /** The last time set so. */
  deadlineOf(offer: Offer): Instant {
    return this.#due.deadlineOf(offer.id)
  }

  /** Keeps an offer for as long as its lease is on the way into the journal. */
  hold(offer: Offer, token: number): void {
    offer.state = 'committing'
    offer.token = token
    offer.discover = undefined
    this.#due.cancel(offer.id)
    this.#evictable.remove(offer.id)
  }

  /** Ends an offer; its address is free again unless a lease runs on it. */
  withdraw(offer: Offer): void {
    this.#drop(offer)
    const lease = this.leases.at(offer.address)
    if (lease !== NO_LEASE) this.leases.letGo(lease)
    else if (this.#forAnyone(offer.address)) this.#vacant.giveBack(offer.address, offer.probedAt)
  }

  /** Ends an offer whose address now has a lease of its own. */
  settle(offer: Offer): void {
    this.#drop(offer)
  }

  popDueOffer(now: Instant): Offer | undefined {
    return this.#offers.get(this.#due.popDue(now))
  }

  /** Ends leases and quarantines whose time is over. */
  expire(now: Instant): void {
    for (let lease = this.leases.popDue(now); lease !== NO_LEASE; lease = this.leases.popDue(now)) {
      if (this.leases.stateOf(lease) === 'declined') this.#forget(lease)
      else if (this.#offerAt.get(this.leases.addressOf(lease)) >= 0) this.leases.expireHeldBack(lease)
      else this.leases.end(lease, 'expired')
    }
  }

  nextDue(): Instant | undefined {
    return earlier(this.#due.nextDue, this.leases.nextDue())
  }

  #drop(offer: Offer): void {
    const { id } = offer
    if (this.#offers.get(id) !== offer) return
    this.#due.cancel(id)
    this.#evictable.remove(id)
    if (this.#offerAt.get(offer.address) === id) this.#offerAt.delete(offer.address)
    if (this.#offerOf.get(offer.client.key) === id) this.#offerOf.delete(offer.client.key)
    this.#offers.giveBack(id)
  }

  #forget(lease: Lease): void {
    const address = this.leases.addressOf(lease)
    this.leases.remove(lease)
    if (this.#forAnyone(address)) this.#vacant.giveBack(address, Number.NEGATIVE_INFINITY)
  }

  /** Whether the address is in the dynamic pool: in a range, usable and not reserved. */
  #forAnyone(address: number): boolean {
    if (this.#reserved.has(address) || this.#excluded.has(address)) return false
    if (!this.subnet.ranges.some((r) => address >= r.first && address <= r.last)) return false
    return isHostAddress(this.subnet, address)
  }

  #untaken(client: ClientIdentity, address: number): boolean {
    const offer = this.offerAt(address)
    if (offer !== undefined && offer.client.key !== client.key) return false
    const lease = this.leases.at(address)
    return this.leases.isBound(lease) ? this.leases.keyOf(lease) === client.key : !this.leases.isActive(lease)
  }

  #candidate(now: Instant, address: number, probedAt: Instant): Candidate {
    return { address, probe: now - probedAt > PROBE_VALID, probedAt }
  }

  #next(now: Instant): Candidate | undefined {
    if (this.leases.size < this.#maxLeases) {
      const vacant = this.#vacant.take(this.#free)
      if (vacant !== undefined) return this.#candidate(now, vacant.address, vacant.probedAt)
    }
    for (let lease = this.leases.oldestEnded; lease !== NO_LEASE; lease = this.leases.oldestEnded) {
      const address = this.leases.addressOf(lease)
      this.leases.holdBack(lease)
      if (this.#forAnyone(address)) return this.#candidate(now, address, Number.NEGATIVE_INFINITY)
    }
    return undefined
  }

  #evictOldest(now: Instant): boolean {
    const oldest = this.#offers.get(this.#evictable.first)
    if (oldest === undefined || now - oldest.since < OFFER_STANDS) return false
    this.withdraw(oldest)
    return true
  }
}
