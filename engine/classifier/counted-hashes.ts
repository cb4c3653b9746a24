/**
 * A set of 32-bit hashes with how often each was added: which values of its first stages a subtable holds.
 * Open addressing; a count of zero stays in its place until the table is rebuilt.
 */
export class CountedHashes {
  #hashes = new Uint32Array(16)
  #counts = new Uint32Array(16)
  /** Places that have been used since the table was built; they are marked in a bitmap of their own. */
  #taken = new Uint8Array(16)
  #used = 0

  has(hash: number): boolean {
    return this.#counts[this.#find(hash)] > 0
  }

  add(hash: number): void {
    let at = this.#find(hash)
    if (this.#taken[at] === 0) {
      if (this.#used * 2 >= this.#hashes.length) {
        this.#rebuild()
        at = this.#find(hash)
      }
      this.#taken[at] = 1
      this.#hashes[at] = hash
      this.#used++
    }
    this.#counts[at] = this.#counts[at] + 1
  }

  remove(hash: number): void {
    const at = this.#find(hash)
    this.#counts[at] = this.#counts[at] - 1
  }

  /** The place of a hash, or the free one where it belongs. */
  #find(hash: number): number {
    const last = this.#hashes.length - 1
    let at = hash & last
    while (this.#taken[at] === 1 && this.#hashes[at] !== hash >>> 0) at = (at + 1) & last
    return at
  }

  #rebuild(): void {
    const hashes = this.#hashes
    const counts = this.#counts
    let alive = 0
    for (let i = 0; i < counts.length; i++) if (counts[i] > 0) alive++
    let size = 16
    while (size < alive * 4) size *= 2
    this.#hashes = new Uint32Array(size)
    this.#counts = new Uint32Array(size)
    this.#taken = new Uint8Array(size)
    this.#used = alive
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue
      const at = this.#find(hashes[i])
      this.#taken[at] = 1
      this.#hashes[at] = hashes[i]
      this.#counts[at] = counts[i]
    }
  }
}
