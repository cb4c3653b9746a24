/**
 * When the reader of a ring is woken. Waking a thread costs as much as a dozen frames, so that under load they go
 * together: what comes shortly after others waits until it is time, and a few that come singly wait for nothing.
 */

/** Milliseconds between two times, on an average, and how many may be had at once after a rest. */
const PAUSE = 1
const AT_ONCE = 4

export class PacedWake {
  readonly #ring: { readonly waits: boolean; readonly mustWake: boolean }
  #next = Number.NEGATIVE_INFINITY

  constructor(ring: { readonly waits: boolean; readonly mustWake: boolean }) {
    this.#ring = ring
  }

  /** Whether the reader is to be woken now, which is then not asked about again; `at` is of any steady clock. */
  due(at: number): boolean {
    if (at < this.#next || !this.#ring.mustWake) return false
    this.#next = Math.max(this.#next, at - (AT_ONCE - 1) * PAUSE) + PAUSE
    return true
  }

  /** By the same clock, before when nobody is woken whatever comes. */
  get notBefore(): number {
    return this.#next
  }

  /** By the same clock, when it is to be asked; Infinity for nothing. */
  dueAt(): number {
    return this.#ring.waits ? this.#next : Number.POSITIVE_INFINITY
  }
}
