/**
 * Claiming an IPv4 address on a link: RFC 5227. It probes (§2.1.1), announces (§2.3), watches for conflicts and
 * defends (§2.4).
 *
 * A router's addresses are its operator's decision, and hosts wait for it: the address is in use from the
 * beginning, while the probes go out, and it is never given up (§2.4 (c)). A conflict, found while probing or
 * later, is reported for a human being to settle.
 */
import type { Random } from '../random.ts'
import { type Duration, type Instant, SECOND } from '../time.ts'

/** RFC 5227 §1.1. */
export const PROBE_WAIT: Duration = SECOND
export const PROBE_NUM = 3
export const PROBE_MIN: Duration = SECOND
export const PROBE_MAX: Duration = 2 * SECOND
export const ANNOUNCE_WAIT: Duration = 2 * SECOND
export const ANNOUNCE_NUM = 2
export const ANNOUNCE_INTERVAL: Duration = 2 * SECOND
export const DEFEND_INTERVAL: Duration = 10 * SECOND

export interface ClaimEvents {
  /** Send an ARP probe: a request with an all-zero sender. */
  probe(address: number): void
  /** Send an ARP announcement: a request for the sender's own address. */
  announce(address: number): void
}

export class AddressClaim {
  readonly address: number
  readonly #events: ClaimEvents
  readonly #random: Random
  #probes = 0
  #announcements = 0
  #due: Instant | undefined
  #defended = Number.NEGATIVE_INFINITY

  constructor(address: number, events: ClaimEvents, random: Random) {
    this.address = address
    this.#events = events
    this.#random = random
  }

  /** The interface came up: claim the address anew. */
  start(now: Instant): void {
    this.#probes = 0
    this.#announcements = 0
    this.#due = now + (this.#random() % PROBE_WAIT)
  }

  /** The interface went down. */
  stop(): void {
    this.#due = undefined
  }

  /** Whether the claim is still being probed for. */
  get probing(): boolean {
    return this.#due !== undefined && this.#announcements === 0
  }

  /**
   * Another station uses the address. Defends it by one announcement, unless it did so within DEFEND_INTERVAL:
   * two that both defended at once would go on for ever (§2.4).
   */
  conflict(now: Instant): void {
    if (now - this.#defended < DEFEND_INTERVAL) return
    this.#defended = now
    this.#events.announce(this.address)
  }

  poll(now: Instant): void {
    if (this.#due === undefined || now < this.#due) return
    if (this.#probes < PROBE_NUM) {
      this.#probes++
      this.#due =
        now +
        (this.#probes < PROBE_NUM ? PROBE_MIN + (this.#random() % (PROBE_MAX - PROBE_MIN)) : ANNOUNCE_WAIT)
      this.#events.probe(this.address)
      return
    }
    this.#announcements++
    this.#due = this.#announcements < ANNOUNCE_NUM ? now + ANNOUNCE_INTERVAL : undefined
    this.#events.announce(this.address)
  }

  pollAt(): Instant | undefined {
    return this.#due
  }
}
