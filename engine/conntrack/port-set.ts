/**
 * The ports (or ICMP identifiers) of one external address and protocol: which are in use, and which dynamic
 * mappings must leave alone. A bitmap of 65,536 bits, searched a word at a time.
 */
import type { Random } from '../../protocols/random.ts'

const WORDS = 2048
const ALL = 0xffff_ffff
/** Bits of even ports; port n is bit n & 31 of word n >>> 5. */
const EVEN = 0x5555_5555

/** Parity asked of a port. */
export const PARITY_ANY = -1

export class PortSet {
  readonly #used = new Uint32Array(WORDS)
  readonly #reserved = new Uint32Array(WORDS)
  /** Ports in use. */
  count = 0

  has(port: number): boolean {
    return (this.#used[port >>> 5] & (1 << (port & 31))) !== 0
  }

  free(port: number): boolean {
    return ((this.#used[port >>> 5] | this.#reserved[port >>> 5]) & (1 << (port & 31))) === 0
  }

  take(port: number): void {
    this.#used[port >>> 5] |= 1 << (port & 31)
    this.count++
  }

  release(port: number): void {
    this.#used[port >>> 5] &= ~(1 << (port & 31))
    this.count--
  }

  /** Keeps a range from being chosen. */
  reserve(first: number, last: number): void {
    for (let p = first; p <= last; p++) this.#reserved[p >>> 5] |= 1 << (p & 31)
  }

  unreserve(): void {
    this.#reserved.fill(0)
  }

  /**
   * A free port of [first, last], sought from a random place on (RFC 6056, RFC 7857 §10).
   * @param parity 0 even, 1 odd, PARITY_ANY either
   * @returns -1 when there is none; the port found is not yet taken
   */
  search(first: number, last: number, parity: number, random: Random): number {
    if (first > last) return -1
    const start = first + (random() % (last - first + 1))
    const found = this.#scan(start, last, parity)
    return found >= 0 ? found : this.#scan(first, start - 1, parity)
  }

  #scan(first: number, last: number, parity: number): number {
    if (first > last) return -1
    const fit = parity === PARITY_ANY ? ALL : parity === 0 ? EVEN : ~EVEN
    const lastWord = last >>> 5
    for (let w = first >>> 5; w <= lastWord; w++) {
      let open = ~(this.#used[w] | this.#reserved[w]) & fit
      if (w === first >>> 5) open &= ALL << (first & 31)
      if (w === lastWord) open &= ALL >>> (31 - (last & 31))
      if (open !== 0) return (w << 5) + 31 - Math.clz32(open & -open)
    }
    return -1
  }
}
