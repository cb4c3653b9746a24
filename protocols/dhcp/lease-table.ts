/**
 * The leases of one subnet, by address and by client, with those that have ended kept: a client that comes
 * back finds its address again (RFC 2131 §2.2), until the address is needed for another, oldest ended first.
 * Every operation is constant or logarithmic in the number of leases.
 *
 * A lease is a row, a small number, of columns: tens of thousands of objects would be moved about by every garbage
 * collection while they are young.
 */

import type { Instant } from '../time.ts'
import { AddressIndex } from './address-index.ts'
import { bytePerChar, charPerByte, identify } from './client-identity.ts'
import { withRow } from './columns.ts'
import { DeadlineHeap } from './deadline-heap.ts'
import { Fifo } from './fifo.ts'
import type { LeaseRecord } from './lease-record.ts'

export type LeaseState = 'bound' | 'released' | 'expired' | 'declined'

/** A row, for as long as the table has the lease; NO_LEASE for none. */
export type Lease = number
export const NO_LEASE: Lease = -1

const STATES: readonly LeaseState[] = ['bound', 'released', 'expired', 'declined']
const BOUND = codeOf('bound')
const DECLINED = codeOf('declined')
const EXPIRED = codeOf('expired')

/** As a column has it, where 0 is for a row that is free. */
function codeOf(state: LeaseState): number {
  return STATES.indexOf(state) + 1
}

/** Of the record's client; empty for an address set aside. */
function keyOf(record: LeaseRecord): string {
  if (record.state === 'declined') return ''
  return identify(record.clientId, record.htype, record.chaddr)?.key ?? ''
}

export class LeaseTable {
  readonly #byAddress = new AddressIndex()
  readonly #byKey = new Map<string, Lease>()
  readonly #active = new DeadlineHeap()
  readonly #ended = new Fifo()
  /** Rows that are free again. */
  readonly #free: Lease[] = []

  /** Rows that have been in use. */
  #rows = 0
  #addresses = new Uint32Array(0)
  /** By `codeOf`. */
  #states = new Uint8Array(0)
  /** End of the lease or of the quarantine. */
  #expires = new Float64Array(0)
  #htypes = new Uint8Array(0)
  /** Of the client it belongs or belonged to; empty for an address set aside. */
  readonly #keys: string[] = []
  /** The hardware address, one character a byte, where the client has an identifier, which then is the key. */
  readonly #hardware: (string | undefined)[] = []
  readonly #hostnames: string[] = []

  get size(): number {
    return this.#byAddress.size
  }

  /** The lease that ended first among those that nobody holds back. */
  get oldestEnded(): Lease {
    return this.#ended.first
  }

  at(address: number): Lease {
    return this.#byAddress.get(address)
  }

  /** The latest lease of a client, running or ended. */
  of(key: string): Lease {
    return this.#byKey.get(key) ?? NO_LEASE
  }

  /** All, the running ones last: whoever puts them in anew in this order finds clients' running leases by their keys. */
  *values(): IterableIterator<Lease> {
    for (const running of [false, true]) {
      for (let lease = 0; lease < this.#rows; lease++) {
        if (this.#states[lease] !== 0 && this.isActive(lease) === running) yield lease
      }
    }
  }

  addressOf(lease: Lease): number {
    return this.#addresses[lease]
  }

  keyOf(lease: Lease): string {
    return this.#keys[lease]
  }

  stateOf(lease: Lease): LeaseState {
    return STATES[this.#states[lease] - 1]
  }

  /** Whether there is a lease that runs and that is its client's. */
  isBound(lease: Lease): boolean {
    return lease !== NO_LEASE && this.#states[lease] === BOUND
  }

  /** Whether there is a lease for which nobody but its client may have the address now. */
  isActive(lease: Lease): boolean {
    return lease !== NO_LEASE && (this.#states[lease] === BOUND || this.#states[lease] === DECLINED)
  }

  recordOf(lease: Lease): LeaseRecord {
    const state = this.stateOf(lease)
    const key = this.#keys[lease]
    const hardware = this.#hardware[lease]
    return {
      address: this.#addresses[lease],
      state: state === 'expired' ? 'bound' : state,
      expires: this.#expires[lease],
      htype: this.#htypes[lease],
      // Without an identifier the key is the hardware type and address.
      chaddr: bytePerChar(hardware ?? key.slice(1)),
      clientId: hardware === undefined ? undefined : bytePerChar(key),
      hostname: this.#hostnames[lease],
    }
  }

  /**
   * Makes the table say what the record says about its address.
   * @param key of its client, where that is known
   */
  put(record: LeaseRecord, key = keyOf(record)): void {
    const before = this.at(record.address)
    const lease = before === NO_LEASE ? this.#add(record.address) : before
    this.#unmap(lease)
    this.#ended.remove(lease)
    this.#keys[lease] = key
    this.#htypes[lease] = record.htype
    const identified = key !== '' && record.clientId !== undefined && record.clientId.length > 0
    this.#hardware[lease] = identified ? charPerByte(record.chaddr) : undefined
    this.#hostnames[lease] = record.hostname
    this.#states[lease] = codeOf(record.state)
    this.#expires[lease] = record.expires
    if (key !== '') this.#byKey.set(key, lease)
    if (this.isActive(lease)) this.#active.schedule(lease, record.expires)
    else {
      this.#active.cancel(lease)
      this.#ended.push(lease)
    }
  }

  /** Ends a running lease and keeps it for its client's return. */
  end(lease: Lease, state: 'released' | 'expired'): void {
    this.#active.cancel(lease)
    this.#states[lease] = codeOf(state)
    if (!this.#ended.has(lease)) this.#ended.push(lease)
  }

  /** As `end` for a lease whose address is on offer: it is held back. */
  expireHeldBack(lease: Lease): void {
    this.#states[lease] = EXPIRED
  }

  /** Keeps an ended lease from being taken as the oldest one, while its address is on offer. */
  holdBack(lease: Lease): void {
    this.#ended.remove(lease)
  }

  /** Undoes `holdBack`. */
  letGo(lease: Lease): void {
    if (!this.isActive(lease) && !this.#ended.has(lease)) this.#ended.push(lease)
  }

  /** Forgets a lease altogether. */
  remove(lease: Lease): void {
    this.#active.cancel(lease)
    this.#ended.remove(lease)
    this.#unmap(lease)
    this.#byAddress.delete(this.#addresses[lease])
    this.#states[lease] = 0
    this.#free.push(lease)
  }

  /** Takes out one lease or quarantine whose time is over, no longer scheduled; the caller ends or removes it. */
  popDue(now: Instant): Lease {
    return this.#active.popDue(now)
  }

  nextDue(): Instant | undefined {
    return this.#active.nextDue
  }

  #add(address: number): Lease {
    const lease = this.#free.pop() ?? this.#rows++
    this.#addresses = withRow(this.#addresses, lease)
    this.#states = withRow(this.#states, lease)
    this.#expires = withRow(this.#expires, lease)
    this.#htypes = withRow(this.#htypes, lease)
    this.#addresses[lease] = address
    this.#keys[lease] = ''
    this.#byAddress.set(address, lease)
    return lease
  }

  #unmap(lease: Lease): void {
    const key = this.#keys[lease]
    if (key !== '' && this.#byKey.get(key) === lease) this.#byKey.delete(key)
  }
}
