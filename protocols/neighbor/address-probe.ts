/**
 * Finding out on behalf of somebody else whether an IPv4 address is in use on a link, by the probes of RFC 5227
 * §2.1.1 but faster: a DHCP server does this between a DISCOVER and its OFFER (RFC 2131 §3.1 step 2).
 */
import type { Duration, Instant } from '../time.ts'

/** Probes sent for one address, the span between them, and how long an answer to the last is waited for. */
export const PROBES = 3
export const INTERVAL: Duration = 150
/** Addresses being probed at once at the most. */
export const MAX_PROBES = 256

export interface ProbeEvents {
  /** Send an ARP probe. */
  probe(address: number): void
  probed(address: number, inUse: boolean): void
}

interface Probe {
  sent: number
  due: Instant
}

export class AddressProbes {
  readonly #events: ProbeEvents
  readonly #probes = new Map<number, Probe>()

  constructor(events: ProbeEvents) {
    this.#events = events
  }

  /** Begins; one that is under way goes on. @returns false when too many are under way */
  start(now: Instant, address: number): boolean {
    if (this.#probes.has(address)) return true
    if (this.#probes.size >= MAX_PROBES) return false
    this.#probes.set(address, { sent: 1, due: now + INTERVAL })
    this.#events.probe(address)
    return true
  }

  /** An ARP packet named this sender address. */
  heard(address: number): void {
    if (this.#probes.delete(address)) this.#events.probed(address, true)
  }

  poll(now: Instant): void {
    if (this.#probes.size === 0) return
    for (const [address, probe] of this.#probes) {
      if (probe.due > now) continue
      if (probe.sent >= PROBES) {
        this.#probes.delete(address)
        this.#events.probed(address, false)
        continue
      }
      probe.sent++
      probe.due = now + INTERVAL
      this.#events.probe(address)
    }
  }

  pollAt(): Instant | undefined {
    // Asked in every turn of the dataplane: no iterator is made for nothing.
    if (this.#probes.size === 0) return undefined
    let due: Instant | undefined
    for (const probe of this.#probes.values()) if (due === undefined || probe.due < due) due = probe.due
    return due
  }
}
