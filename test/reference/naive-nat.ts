/**
 * The obvious twin of RouterNat for UDP: RFC 4787 in Maps. It does not choose external ports; it is told which
 * was chosen and says whether that was allowed.
 */
export type Filtering = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent'

interface Session {
  readonly internal: string
  readonly remoteAddress: string
  readonly remotePort: number
  /** Begun from inside. */
  readonly outbound: boolean
  expires: number
}

export class NaiveNat {
  readonly #filtering: Filtering
  readonly #ports: ReadonlySet<number>
  readonly #timeout: number
  /** Internal endpoint to external port. */
  readonly #mappings = new Map<string, number>()
  #sessions: Session[] = []

  constructor(filtering: Filtering, ports: Iterable<number>, timeout: number) {
    this.#filtering = filtering
    this.#ports = new Set(ports)
    this.#timeout = timeout
  }

  /** The external ports that a packet from inside may appear with; none when it must be refused. */
  allowed(internal: string, wanted: number, now: number): number[] {
    this.#expire(now)
    const known = this.#mappings.get(internal)
    if (known !== undefined) return [known]
    const used = new Set(this.#mappings.values())
    const free = [...this.#ports].filter((p) => !used.has(p))
    if (free.includes(wanted)) return [wanted]
    const same = free.filter((p) => (p & 1) === (wanted & 1))
    return same.length > 0 ? same : free
  }

  /** A packet from inside has gone out by this external port. */
  sent(internal: string, external: number, remoteAddress: string, remotePort: number, now: number): void {
    this.#mappings.set(internal, external)
    const session = this.#find(internal, remoteAddress, remotePort)
    if (session !== undefined) session.expires = now + this.#timeout
    else this.#begin(internal, remoteAddress, remotePort, true, now)
  }

  /** Whom a packet from outside reaches, if anyone. */
  received(external: number, remoteAddress: string, remotePort: number, now: number): string | undefined {
    this.#expire(now)
    const internal = [...this.#mappings].find(([, port]) => port === external)?.[0]
    if (internal === undefined) return undefined
    if (this.#find(internal, remoteAddress, remotePort) !== undefined) return internal
    const peers = this.#sessions.filter((s) => s.internal === internal && s.outbound)
    const open =
      this.#filtering === 'endpoint-independent' ||
      (this.#filtering === 'address-dependent' && peers.some((s) => s.remoteAddress === remoteAddress))
    if (!open) return undefined
    this.#begin(internal, remoteAddress, remotePort, false, now)
    return internal
  }

  get sessions(): number {
    return this.#sessions.length
  }

  #begin(internal: string, remoteAddress: string, remotePort: number, outbound: boolean, now: number): void {
    this.#sessions.push({ internal, remoteAddress, remotePort, outbound, expires: now + this.#timeout })
  }

  #find(internal: string, address: string, port: number): Session | undefined {
    return this.#sessions.find(
      (s) => s.internal === internal && s.remoteAddress === address && s.remotePort === port,
    )
  }

  #expire(now: number): void {
    this.#sessions = this.#sessions.filter((s) => s.expires > now)
    for (const internal of [...this.#mappings.keys()]) {
      if (!this.#sessions.some((s) => s.internal === internal)) this.#mappings.delete(internal)
    }
  }
}
