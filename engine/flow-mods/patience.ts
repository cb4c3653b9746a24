/**
 * Whether it is worth while to wait awake for the other thread. Falling asleep and being woken takes longer than most
 * of what is waited for; but where there are fewer processors than threads that want one, who waits awake keeps the
 * other from running. Who finds that it has been made to stop meanwhile takes the hint, for a while.
 */

/** A look that takes longer than this, in milliseconds, has been interrupted. */
const INTERRUPTED = 0.03
/** How long the hint is taken. */
const REST = 2

export class Patience {
  readonly #limit: number
  #begun = Number.NEGATIVE_INFINITY
  #restless = Number.NEGATIVE_INFINITY

  /** @param limit milliseconds for which it may be waited awake */
  constructor(limit: number) {
    this.#limit = limit
  }

  begin(now: number): void {
    this.#begun = now
  }

  /** Whether to look again, after a look that took from one time to the other. */
  lasts(from: number, to: number): boolean {
    if (to - this.#begun > this.#limit || to < this.#restless) return false
    if (to - from > INTERRUPTED) this.#restless = to + REST
    return true
  }
}
