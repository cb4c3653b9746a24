/**
 * Addresses of some ranges that have no lease and no offer: those never touched, in order, and those that came
 * back without having been leased. An address is named here at the latest when it becomes vacant; whoever
 * takes one checks that it still is, since addresses also go by request or reservation.
 */

import type { Instant } from '../time.ts'
import type { AddressRange } from './config.ts'

export class VacantAddresses {
  readonly #ranges: readonly AddressRange[]
  #range = 0
  #next: number
  /** Returned addresses, oldest first from `#head`, and when each was last found silent by a probe. */
  #queue: number[] = []
  #head = 0
  readonly #probed = new Map<number, Instant>()

  constructor(ranges: readonly AddressRange[]) {
    this.#ranges = ranges
    this.#next = ranges[0]?.first ?? 0
  }

  /**
   * Takes the next vacant address for which `free` holds.
   * @param free whether the address has neither lease nor offer and may be given to anyone
   */
  take(free: (address: number) => boolean): { address: number; probedAt: Instant } | undefined {
    while (this.#head < this.#queue.length) {
      const address = this.#queue[this.#head++]
      const probedAt = this.#probed.get(address) ?? Number.NEGATIVE_INFINITY
      this.#probed.delete(address)
      if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
        this.#queue = this.#queue.slice(this.#head)
        this.#head = 0
      }
      if (free(address)) return { address, probedAt }
    }
    while (this.#range < this.#ranges.length) {
      const address = this.#next
      if (address >= this.#ranges[this.#range].last) {
        this.#range++
        this.#next = this.#ranges[this.#range]?.first ?? 0
      } else this.#next++
      if (free(address)) return { address, probedAt: Number.NEGATIVE_INFINITY }
    }
    return undefined
  }

  /** When a probe last found the address silent, minus infinity for never. */
  probedAt(address: number): Instant {
    return this.#probed.get(address) ?? Number.NEGATIVE_INFINITY
  }

  /** Takes an address back. */
  giveBack(address: number, probedAt: Instant): void {
    if (!this.#probed.has(address)) this.#queue.push(address)
    this.#probed.set(address, probedAt)
  }

  /** Returned addresses waiting, for tests of the bounds. */
  get returned(): number {
    return this.#queue.length - this.#head
  }
}
