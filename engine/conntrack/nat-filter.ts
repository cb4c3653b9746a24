/**
 * Address-dependent filtering (RFC 4787 §5, REQ-8; RFC 5382 REQ-3): whom each mapping has sessions with.
 * Endpoint-independent filtering needs no memory, and address-and-port-dependent filtering is what the
 * connections themselves are.
 */
export class NatFilter {
  /** Sessions by mapping and remote address. */
  readonly #sessions = new Map<number, number>()

  /** A session began. @returns whether it is the mapping's first with that address */
  add(mapping: number, remote: number): boolean {
    const key = mapping * 0x1_0000_0000 + remote
    const n = this.#sessions.get(key) ?? 0
    this.#sessions.set(key, n + 1)
    return n === 0
  }

  /** A session ended. */
  remove(mapping: number, remote: number): void {
    const key = mapping * 0x1_0000_0000 + remote
    const n = this.#sessions.get(key) ?? 0
    if (n > 1) this.#sessions.set(key, n - 1)
    else this.#sessions.delete(key)
  }

  /** Whether the mapping has a session with that address. */
  has(mapping: number, remote: number): boolean {
    return this.#sessions.has(mapping * 0x1_0000_0000 + remote)
  }
}
