import type { Instant } from '../../protocols/time.ts'

/** So many events a second, of which some may come at once. */
export class TokenBucket {
  readonly #rate: number
  readonly #burst: number
  #tokens: number
  #last: Instant | undefined

  /** @param rate events a second; with 0 none is ever allowed */
  constructor(rate: number, burst: number) {
    this.#rate = rate
    this.#burst = rate > 0 ? burst : 0
    this.#tokens = this.#burst
  }

  /** Whether one more event may happen at `now`; if so, it is counted. */
  take(now: Instant): boolean {
    if (this.#last !== undefined && now > this.#last) {
      this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#last) * this.#rate) / 1000)
    }
    this.#last = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
