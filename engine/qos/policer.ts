/**
 * A token bucket that lets pass or not: what exceeds a rate is dropped where a shaper would make it wait.
 *
 * A full bucket lets anything pass, and goes into debt for what it does not hold. A GSO frame that is longer
 * than the burst would otherwise never pass, and TCP would stand still.
 */
import type { Instant } from '../../protocols/time.ts'

export class Policer {
  /** Bytes a millisecond. */
  readonly #rate: number
  readonly #burst: number
  #tokens: number
  #last: Instant

  /**
   * @param rate bytes a second
   * @param burst bytes
   */
  constructor(rate: number, burst: number, now: Instant) {
    this.#rate = rate / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#last = now
  }

  pass(bytes: number, now: Instant): boolean {
    if (now > this.#last) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#last) * this.#rate)
      this.#last = now
    }
    if (this.#tokens < Math.min(bytes, this.#burst)) return false
    this.#tokens -= bytes
    return true
  }
}
