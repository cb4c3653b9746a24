/**
 * Addresses of some ranges that have no lease and no offer: those whose turn is still to come, in order, and before
 * them those that came back. An address is named here at the latest when it becomes vacant; whoever takes one checks
 * that it still is, since addresses also go by request or reservation.
 *
 * Of an address whose turn is still to come nothing is kept. The turn comes to the next only when all that came back
 * are taken; so no more can come back than once had leases and offers at a time, however large the ranges.
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

  /** When a probe last found the address silent, minus infinity where that is not known. */
  probedAt(address: number): Instant {
    return this.#probed.get(address) ?? Number.NEGATIVE_INFINITY
  }

  /** Takes an address back. */
  giveBack(address: number, probedAt: Instant): void {
    if (this.#isToCome(address)) return
    if (!this.#probed.has(address)) this.#queue.push(address)
    this.#probed.set(address, probedAt)
  }

  /** Returned addresses waiting, for tests of the bounds. */
  get returned(): number {
    return this.#queue.length - this.#head
  }

  #isToCome(address: number): boolean {
    for (let i = this.#range; i < this.#ranges.length; i++) {
      const first = i === this.#range ? this.#next : this.#ranges[i].first
      if (address >= first && address <= this.#ranges[i].last) return true
    }
    return false
  }
}
