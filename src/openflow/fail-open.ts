/**
 * What becomes of a bridge whose controllers are lost (fail-open.c of Open vSwitch): standalone ones are learning
 * switches after three probe intervals without any controller, until one is back.
 */
import type { Duration, Instant } from '../../protocols/time.ts'

/** Without probes a controller is given up after as long as with the usual ones. */
const USUAL_PROBE: Duration = 5000
const PROBES = 3

export class FailOpen {
  #after: Duration = 0
  readonly #begin: () => void
  readonly #end: () => void
  /** When the last controller was lost; undefined while there is one. */
  #lostAt: Instant | undefined
  #open = false

  /**
   * @param probes inactivity probes of the controllers, milliseconds, 0 for none
   * @param begin nobody programs the bridge any more
   * @param end somebody does again
   */
  constructor(now: Instant, probes: readonly Duration[], begin: () => void, end: () => void) {
    this.probes = probes
    this.#begin = begin
    this.#end = end
    this.#lostAt = now
  }

  get open(): boolean {
    return this.#open
  }

  set probes(probes: readonly Duration[]) {
    this.#after = PROBES * Math.max(...probes.map((p) => (p === 0 ? USUAL_PROBE : p)))
  }

  /** How many controllers are connected now. */
  connected(now: Instant, controllers: number): void {
    if (controllers === 0) {
      this.#lostAt ??= now
      return
    }
    this.#lostAt = undefined
    if (!this.#open) return
    this.#open = false
    this.#end()
  }

  poll(now: Instant): void {
    if (this.#open || this.#lostAt === undefined || now < this.#lostAt + this.#after) return
    this.#open = true
    this.#begin()
  }

  pollAt(): Instant | undefined {
    return this.#open || this.#lostAt === undefined ? undefined : this.#lostAt + this.#after
  }
}
