/** Who is at the other ends of tunnels: MAC addresses by bridge and IP address, forgotten when they are not used. */
import { type Duration, type Instant, SECOND } from '../../protocols/time.ts'

/** As in Open vSwitch. */
const AGING: Duration = 900 * SECOND
/** The oldest makes room. */
const MAX_NEIGHBORS = 8192

export interface TunnelNeighbor {
  readonly bridge: string
  readonly address: Uint8Array
  readonly mac: number
}

export class TunnelNeighbors {
  /** Milliseconds that a neighbour is kept from when it was last heard of. */
  #aging = AGING
  /** In the order in which they were heard of. */
  readonly #entries = new Map<string, { readonly neighbor: TunnelNeighbor; expires: Instant }>()

  get aging(): Duration {
    return this.#aging
  }

  /** Holds also for those that are known. */
  age(aging: Duration, now: Instant): void {
    this.#aging = aging
    for (const entry of this.#entries.values()) entry.expires = Math.min(entry.expires, now + aging)
  }

  set(neighbor: TunnelNeighbor, now: Instant): void {
    const key = `${neighbor.address} ${neighbor.bridge}`
    this.#entries.delete(key)
    if (this.#entries.size === MAX_NEIGHBORS) this.#entries.delete(this.#entries.keys().next().value!)
    this.#entries.set(key, { neighbor, expires: now + this.#aging })
  }

  all(now: Instant): TunnelNeighbor[] {
    for (const [key, { expires }] of this.#entries) if (expires <= now) this.#entries.delete(key)
    return [...this.#entries.values()].map(({ neighbor }) => neighbor)
  }

  flush(): void {
    this.#entries.clear()
  }
}
