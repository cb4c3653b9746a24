/** The obvious twin of PortSet: a set of numbers. */
export class NaivePorts {
  readonly used = new Set<number>()
  readonly reserved = new Set<number>()

  free(port: number): boolean {
    return !this.used.has(port) && !this.reserved.has(port)
  }

  /** Every port that a search may answer. */
  candidates(first: number, last: number, parity: number): Set<number> {
    const found = new Set<number>()
    for (let p = first; p <= last; p++) {
      if (this.free(p) && (parity < 0 || (p & 1) === parity)) found.add(p)
    }
    return found
  }
}
