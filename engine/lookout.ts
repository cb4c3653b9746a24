/**
 * Whether to wait awake for the next frame. Falling asleep and being woken costs who waits, and who sends, more than
 * most frames do; so a sleep that turned out short is followed by a time awake, until that was in vain: what
 * hypervisors do with processors that halt.
 */

export class Lookout {
  readonly #limit: number
  #until = Number.NEGATIVE_INFINITY
  #worthwhile = false

  /** @param limit milliseconds for which it may be waited awake */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** There was a frame. */
  seen(now: number): void {
    if (this.#worthwhile) this.#until = now + this.#limit
  }

  /** Whether to look again. */
  lasts(now: number): boolean {
    return now < this.#until
  }

  /** A sleep has ended that took so many milliseconds. */
  slept(time: number): void {
    this.#worthwhile = time < this.#limit
  }
}
