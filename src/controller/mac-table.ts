/** Where stations are: which port of a switch an address, in a VLAN, was heard on last. Bounded; the oldest goes. */

import { type Duration, type Instant, SECOND } from '../../protocols/time.ts'

const MAX_ENTRIES = 8192
const MAX_AGE: Duration = 300 * SECOND

export class MacTable {
  /** In the order in which they were heard last. */
  readonly #entries = new Map<string, { port: number; heard: Instant }>()

  /** Answers whether it is news. */
  learn(now: Instant, vlan: number, mac: string, port: number): boolean {
    const key = `${vlan}/${mac}`
    const before = this.#entries.get(key)
    this.#entries.delete(key)
    this.#entries.set(key, { port, heard: now })
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!)
    return before?.port !== port
  }

  lookup(now: Instant, vlan: number, mac: string): number | undefined {
    const entry = this.#entries.get(`${vlan}/${mac}`)
    return entry === undefined || now - entry.heard > MAX_AGE ? undefined : entry.port
  }

  get size(): number {
    return this.#entries.size
  }
}
