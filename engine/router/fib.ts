/**
 * Longest-prefix match over IPv4: a path-compressed binary trie in typed arrays.
 *
 * Besides the value it tells how many leading bits of the address the walk depended on. Every address that
 * shares those bits takes the same walk, so that is the mask a megaflow needs: no more (or one flow a
 * destination would be cached) and no less. This is why a trie and not a hash a length.
 *
 * Prefixes are only ever added; a changed table is built anew and put in the old one's place.
 */

const NONE = -1

export class Fib {
  /** Node: its prefix's bits, their number, its value or NONE, and the children by the bit that follows. */
  #key = new Uint32Array(16)
  #bits = new Uint8Array(16)
  #value = new Int32Array(16)
  #zero = new Int32Array(16)
  #one = new Int32Array(16)
  #nodes = 0
  #root = NONE
  #size = 0

  /** After `lookup`: leading bits of the address that the answer depends on, 0–32. */
  examined = 0

  /** Prefixes held. */
  get size(): number {
    return this.#size
  }

  /** The value of the longest prefix the address lies in, or -1. Sets `examined`. */
  lookup(address: number): number {
    let best = NONE
    let n = this.#root
    let examined = 0
    while (n !== NONE) {
      const bits = this.#bits[n]
      const common = Math.clz32(address ^ this.#key[n])
      if (common < bits) {
        this.examined = Math.max(common + 1, examined)
        return best
      }
      examined = bits
      if (this.#value[n] !== NONE) best = this.#value[n]
      if (bits === 32) break
      // A leaf is the end whatever follows; elsewhere the next bit decides.
      if (this.#zero[n] === NONE && this.#one[n] === NONE) break
      examined = bits + 1
      n = ((address >>> (31 - bits)) & 1) === 0 ? this.#zero[n] : this.#one[n]
    }
    this.examined = examined
    return best
  }

  /**
   * Adds a prefix; host bits do not matter.
   * @param value not negative
   * @returns the value the very same prefix has already, which stays, or -1
   */
  add(address: number, prefixLength: number, value: number): number {
    const key = (prefixLength === 0 ? 0 : address & (-1 << (32 - prefixLength))) >>> 0
    let parent = NONE
    let n = this.#root
    while (n !== NONE) {
      const bits = this.#bits[n]
      const common = Math.min(Math.clz32(key ^ this.#key[n]), bits, prefixLength)
      if (common === bits && bits === prefixLength) {
        if (this.#value[n] !== NONE) return this.#value[n]
        this.#value[n] = value
        this.#size++
        return NONE
      }
      if (common < bits) break
      parent = n
      n = ((key >>> (31 - bits)) & 1) === 0 ? this.#zero[n] : this.#one[n]
    }
    const leaf = this.#node(key, prefixLength, value)
    this.#size++
    if (n === NONE) {
      this.#link(parent, leaf)
      return NONE
    }
    const common = Math.min(Math.clz32(key ^ this.#key[n]), this.#bits[n], prefixLength)
    if (common === prefixLength) {
      this.#link(parent, leaf)
      this.#link(leaf, n)
    } else {
      const fork = this.#node((common === 0 ? 0 : key & (-1 << (32 - common))) >>> 0, common, NONE)
      this.#link(parent, fork)
      this.#link(fork, leaf)
      this.#link(fork, n)
    }
    return NONE
  }

  #link(parent: number, child: number): void {
    if (parent === NONE) this.#root = child
    else if (((this.#key[child] >>> (31 - this.#bits[parent])) & 1) === 0) this.#zero[parent] = child
    else this.#one[parent] = child
  }

  #node(key: number, bits: number, value: number): number {
    if (this.#nodes === this.#key.length) this.#grow()
    const n = this.#nodes++
    this.#key[n] = key
    this.#bits[n] = bits
    this.#value[n] = value
    this.#zero[n] = NONE
    this.#one[n] = NONE
    return n
  }

  #grow(): void {
    const to = this.#nodes * 2
    const key = new Uint32Array(to)
    const bits = new Uint8Array(to)
    const value = new Int32Array(to)
    const zero = new Int32Array(to)
    const one = new Int32Array(to)
    key.set(this.#key)
    bits.set(this.#bits)
    value.set(this.#value)
    zero.set(this.#zero)
    one.set(this.#one)
    this.#key = key
    this.#bits = bits
    this.#value = value
    this.#zero = zero
    this.#one = one
  }
}
