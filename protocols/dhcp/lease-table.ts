/**
 * The leases of one subnet, by address and by client, with those that have ended kept: a client that comes
 * back finds its address again (RFC 2131 §2.2), until the address is needed for another, oldest ended first.
 * Every operation is constant or logarithmic in the number of leases.
 */

import type { Instant } from '../time.ts'
import { bytePerChar, charPerByte, identify } from './client-identity.ts'
import { DeadlineHeap, type Timed } from './deadline-heap.ts'
import { Fifo, type FifoItem } from './fifo.ts'
import type { LeaseRecord } from './lease-record.ts'

export type LeaseState = 'bound' | 'released' | 'expired' | 'declined'

export interface Lease extends FifoItem, Timed {
  readonly address: number
  /** Of the client it belongs or belonged to; empty for an address set aside. */
  key: string
  htype: number
  /** The hardware address, one character a byte. */
  hardware: string
  /** Whether the client has an identifier, which then is the key. */
  identified: boolean
  hostname: string
  state: LeaseState
  /** End of the lease or of the quarantine. */
  expires: Instant
}

/** Whether nobody but its client may have the address now. */
export function isActive(lease: Lease): boolean {
  return lease.state === 'bound' || lease.state === 'declined'
}

export function recordOf(lease: Lease): LeaseRecord {
  return {
    address: lease.address,
    state: lease.state === 'expired' ? 'bound' : lease.state,
    expires: lease.expires,
    htype: lease.htype,
    chaddr: bytePerChar(lease.hardware),
    clientId: lease.identified ? bytePerChar(lease.key) : undefined,
    hostname: lease.hostname,
  }
}

/** Of the record's client; empty for an address set aside. */
function keyOf(record: LeaseRecord): string {
  if (record.state === 'declined') return ''
  return identify(record.clientId, record.htype, record.chaddr)?.key ?? ''
}

export class LeaseTable {
  readonly #byAddress = new Map<number, Lease>()
  readonly #byKey = new Map<string, Lease>()
  readonly #active = new DeadlineHeap<Lease>()
  readonly #ended = new Fifo<Lease>()

  get size(): number {
    return this.#byAddress.size
  }

  /** The lease that ended first among those that nobody holds back. */
  get oldestEnded(): Lease | undefined {
    return this.#ended.first
  }

  at(address: number): Lease | undefined {
    return this.#byAddress.get(address)
  }

  /** The latest lease of a client, running or ended. */
  of(key: string): Lease | undefined {
    return this.#byKey.get(key)
  }

  values(): IterableIterator<Lease> {
    return this.#byAddress.values()
  }

  /**
   * Makes the table say what the record says about its address.
   * @param key of its client, where that is known
   */
  put(record: LeaseRecord, key = keyOf(record)): Lease {
    const lease = this.#byAddress.get(record.address) ?? this.#add(record.address)
    this.#unmap(lease)
    this.#ended.remove(lease)
    lease.key = key
    lease.htype = record.htype
    lease.hardware = charPerByte(record.chaddr)
    lease.identified = key !== '' && record.clientId !== undefined && record.clientId.length > 0
    lease.hostname = record.hostname
    lease.state = record.state
    lease.expires = record.expires
    if (lease.key !== '') this.#byKey.set(lease.key, lease)
    if (isActive(lease)) this.#active.schedule(lease, record.expires)
    else {
      this.#active.cancel(lease)
      this.#ended.push(lease)
    }
    return lease
  }

  /** Ends a running lease and keeps it for its client's return. */
  end(lease: Lease, state: 'released' | 'expired'): void {
    this.#active.cancel(lease)
    lease.state = state
    if (!lease.fifoIn) this.#ended.push(lease)
  }

  /** Keeps an ended lease from being taken as the oldest one, while its address is on offer. */
  holdBack(lease: Lease): void {
    this.#ended.remove(lease)
  }

  /** Undoes `holdBack`. */
  letGo(lease: Lease): void {
    if (!isActive(lease) && !lease.fifoIn) this.#ended.push(lease)
  }

  /** Forgets a lease altogether. */
  remove(lease: Lease): void {
    this.#active.cancel(lease)
    this.#ended.remove(lease)
    this.#unmap(lease)
    this.#byAddress.delete(lease.address)
  }

  /** Takes out one lease or quarantine whose time is over, no longer scheduled; the caller ends or removes it. */
  popDue(now: Instant): Lease | undefined {
    return this.#active.popDue(now)
  }

  nextDue(): Instant | undefined {
    return this.#active.first?.deadline
  }

  #add(address: number): Lease {
    const lease: Lease = {
      address,
      key: '',
      htype: 0,
      hardware: '',
      identified: false,
      hostname: '',
      state: 'released',
      expires: 0,
      deadline: 0,
      heapSlot: -1,
      fifoNext: undefined,
      fifoPrev: undefined,
      fifoIn: false,
    }
    this.#byAddress.set(address, lease)
    return lease
  }

  #unmap(lease: Lease): void {
    if (lease.key !== '' && this.#byKey.get(lease.key) === lease) this.#byKey.delete(lease.key)
  }
}
