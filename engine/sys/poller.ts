/**
 * Waiting for many descriptors at once, poll(2), on an array that stays in native memory: no allocation and
 * no conversion per wait. A descriptor keeps its slot until it is removed.
 *
 * A slot that reports POLL_ERROR does so at once and for ever when its device no longer exists: whoever waits
 * asks the device for its state then, and removes it from the poller when it is gone.
 */
import { poll } from './libc.ts'
import { mapMemory } from './memory.ts'

export const POLLIN = 0x001
export const POLLOUT = 0x004
/** POLLERR, POLLHUP and POLLNVAL: the descriptor has something to say other than data. */
export const POLL_ERROR = 0x008 | 0x010 | 0x020

export class Poller {
  readonly capacity: number
  readonly #address: number
  /** struct pollfd: descriptor, then events (low half) and revents (high half). */
  readonly #words: Int32Array
  #used = 0

  /** @param capacity descriptors at the most */
  constructor(capacity: number) {
    this.capacity = capacity
    const memory = mapMemory(capacity * 8)
    this.#address = memory.address
    this.#words = new Int32Array(memory.bytes.buffer)
    for (let i = 0; i < capacity; i++) this.#words[i * 2] = -1
  }

  /**
   * Watches a descriptor and answers its slot.
   * @throws RangeError when all slots are taken
   */
  add(fd: number, events = POLLIN): number {
    let slot = 0
    while (slot < this.#used && this.#words[slot * 2] >= 0) slot++
    if (slot === this.capacity) throw new RangeError(`a poller of ${this.capacity} descriptors is full`)
    if (slot === this.#used) this.#used++
    this.#words[slot * 2] = fd
    this.#words[slot * 2 + 1] = events
    return slot
  }

  /** Stops watching; the slot may be given to another descriptor. */
  remove(slot: number): void {
    this.#words[slot * 2] = -1
    this.#words[slot * 2 + 1] = 0
    while (this.#used > 0 && this.#words[this.#used * 2 - 2] < 0) this.#used--
  }

  /** Has a descriptor wake for these events from now on; it always does for POLL_ERROR. */
  watch(slot: number, events: number): void {
    this.#words[slot * 2 + 1] = events
  }

  /**
   * Waits until a descriptor is ready and answers how many are; 0 after the time, or when a signal came.
   * @param timeoutMs rounded up to whole milliseconds; 0 only looks, -1 waits for ever
   */
  wait(timeoutMs: number): number {
    const ready = poll(
      this.#address,
      this.#used,
      timeoutMs < 0 ? -1 : Math.min(Math.ceil(timeoutMs), 0x7fffffff),
    )
    if (ready >= 0) return ready
    // The kernel leaves revents as they were when it fails.
    for (let slot = 0; slot < this.#used; slot++) this.#words[slot * 2 + 1] &= 0xffff
    return 0
  }

  /** What the last `wait` found on a slot: POLLIN, POLLOUT and POLL_ERROR bits; 0 for nothing. */
  ready(slot: number): number {
    return this.#words[slot * 2 + 1] >>> 16
  }
}
