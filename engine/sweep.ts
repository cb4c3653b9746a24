/**
 * Once a second: stations, rules and cached flows age. What many flows have carried is credited in several goes, between
 * which frames have their turn; what has aged is judged as of the beginning.
 */
import { type Instant, SECOND } from '../protocols/time.ts'
import type { MegaflowTable } from './classifier/megaflow-table.ts'
import type { Topology } from './ofproto/topology.ts'

/** Idle time after which a megaflow goes, as max-idle in Open vSwitch. */
const MAX_IDLE = 10 * SECOND

export class Sweep {
  /** When it is due, or under way since. */
  next: Instant = 0
  readonly #flows: MegaflowTable
  readonly #topology: Topology
  #began: Instant | undefined

  constructor(flows: MegaflowTable, topology: Topology) {
    this.#flows = flows
    this.#topology = topology
  }

  /** Does what is due. @returns whether a sweep has come to its end */
  poll(now: Instant): boolean {
    if (now < this.next) return false
    this.#began ??= now
    if (!this.#flows.creditSome()) return false
    const began = this.#began
    this.#began = undefined
    this.next = began + SECOND
    for (const bridge of this.#topology.bridges.values()) {
      bridge.fdb.expire(began)
      bridge.tables.expire(began)
    }
    this.#flows.expire(began, MAX_IDLE)
    return true
  }
}
