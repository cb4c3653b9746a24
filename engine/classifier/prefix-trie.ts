/**
 * The prefixes that rules of a classifier match one field on: a path-compressed binary trie.
 *
 * Asked about a packet's value it tells which lengths of prefix any rule matches it with, and how many leading
 * bits of the value that answer depends on. A subtable whose length is not among them holds no rule for the
 * packet, and a megaflow needs only those bits to say so: with rules for 10.1.0.0/16 and 192.0.2.1, a packet to
 * 172.16.0.9 is known to miss both by its first bit.
 */
const NONE = -1
const ROOT = 0

export class PrefixTrie {
  /** Length of the field in bits, a multiple of 32. */
  readonly bits: number
  /** Answer of the last `lookup`: bit n of the whole says that a prefix of length n + 1 matches. */
  readonly #found: Uint32Array

  /** Of each node: the bits from its parent's end on, left-aligned, and how many they are, at most 32. */
  #prefix: Uint32Array
  #length: Uint8Array
  /** Rules whose prefix ends at the node. */
  #rules: Int32Array
  /** Two children a node, by the next bit; free nodes are chained through the first. */
  #edges: Int32Array
  #free = NONE

  constructor(bits: number) {
    this.bits = bits
    this.#found = new Uint32Array(bits >>> 5)
    this.#prefix = new Uint32Array(8)
    this.#length = new Uint8Array(8)
    this.#rules = new Int32Array(8)
    this.#edges = new Int32Array(16).fill(NONE)
    this.#chainFree(1)
  }

  get empty(): boolean {
    return this.#edges[0] === NONE && this.#edges[1] === NONE
  }

  /** Adds one prefix of `length` bits, at least 1, of the value in `words[at…]`. */
  insert(words: Uint32Array, at: number, length: number): void {
    let link = bitAt(words, at, 0)
    let offset = 0
    for (;;) {
      const node = this.#edges[link]
      if (node === NONE) {
        this.#grow(link, words, at, offset, length)
        return
      }
      const equal = this.#equalBits(node, words, at, offset, length)
      offset += equal
      if (equal < this.#length[node]) {
        const upper = this.#split(link, node, equal)
        if (offset === length) this.#rules[upper] = 1
        else this.#grow(upper * 2 + bitAt(words, at, offset), words, at, offset, length)
        return
      }
      if (offset === length) {
        this.#rules[node] = this.#rules[node] + 1
        return
      }
      link = node * 2 + bitAt(words, at, offset)
    }
  }

  /** Takes back one prefix that was inserted. */
  remove(words: Uint32Array, at: number, length: number): void {
    this.#removeBelow(ROOT, words, at, 0, length)
  }

  /**
   * Looks a value up; `has` then tells about its prefixes.
   * @returns how many leading bits of the value the answer depends on
   */
  lookup(words: Uint32Array, at: number): number {
    this.#found.fill(0)
    let node = ROOT
    let offset = 0
    for (;;) {
      const next = this.#edges[node * 2 + bitAt(words, at, offset)]
      if (next === NONE) {
        const leaf = this.#edges[node * 2] === NONE && this.#edges[node * 2 + 1] === NONE
        return leaf ? offset : offset + 1
      }
      const equal = this.#equalBits(next, words, at, offset, this.bits)
      offset += equal
      if (equal < this.#length[next]) return offset + 1
      if (this.#rules[next] > 0) {
        const n = offset - 1
        this.#found[n >>> 5] = this.#found[n >>> 5] | (0x8000_0000 >>> (n & 31))
      }
      if (offset === this.bits) return offset
      node = next
    }
  }

  /** Whether the value looked up last matches any rule's prefix of this length, at least 1. */
  has(length: number): boolean {
    const n = length - 1
    return (this.#found[n >>> 5] & (0x8000_0000 >>> (n & 31))) !== 0
  }

  /** A path for the bits from `offset` to `length`, hung to a link. */
  #grow(link: number, words: Uint32Array, at: number, offset: number, length: number): void {
    while (offset < length) {
      const n = Math.min(32, length - offset)
      const node = this.#take()
      this.#prefix[node] = bitsAt(words, at, offset, this.bits) & prefixMask(n)
      this.#length[node] = n
      this.#edges[link] = node
      offset += n
      if (offset < length) link = node * 2 + bitAt(words, at, offset)
      else this.#rules[node] = 1
    }
  }

  /** Cuts a node after `n` bits; answers the new upper part. */
  #split(link: number, node: number, n: number): number {
    const upper = this.#take()
    this.#prefix[upper] = this.#prefix[node] & prefixMask(n)
    this.#length[upper] = n
    this.#prefix[node] = this.#prefix[node] << n
    this.#length[node] = this.#length[node] - n
    this.#edges[upper * 2 + (this.#prefix[node] >>> 31)] = node
    this.#edges[link] = upper
    return upper
  }

  #removeBelow(parent: number, words: Uint32Array, at: number, offset: number, length: number): void {
    const link = parent * 2 + bitAt(words, at, offset)
    const node = this.#edges[link]
    if (node === NONE) return
    offset += this.#length[node]
    if (offset === length) this.#rules[node] = this.#rules[node] - 1
    else this.#removeBelow(node, words, at, offset, length)
    if (this.#rules[node] === 0) this.#prune(link, node)
  }

  /** A node without rules gives way to its only child, if their bits fit one node, or to nothing. */
  #prune(link: number, node: number): void {
    const left = this.#edges[node * 2]
    const right = this.#edges[node * 2 + 1]
    if (left !== NONE && right !== NONE) return
    const child = left !== NONE ? left : right
    if (child !== NONE) {
      const n = this.#length[node]
      if (n + this.#length[child] > 32) return
      this.#prefix[child] = this.#prefix[node] | (this.#prefix[child] >>> n)
      this.#length[child] = this.#length[child] + n
    }
    this.#edges[link] = child
    this.#edges[node * 2] = this.#free
    this.#free = node
  }

  /** How many bits of a node's prefix the value has at `offset`, looking no further than `end`. */
  #equalBits(node: number, words: Uint32Array, at: number, offset: number, end: number): number {
    const difference = this.#prefix[node] ^ bitsAt(words, at, offset, this.bits)
    return Math.min(Math.clz32(difference), this.#length[node], end - offset)
  }

  #take(): number {
    if (this.#free === NONE) {
      const size = this.#length.length * 2
      this.#prefix = extend(this.#prefix, new Uint32Array(size))
      this.#length = extend(this.#length, new Uint8Array(size))
      this.#rules = extend(this.#rules, new Int32Array(size))
      this.#edges = extend(this.#edges, new Int32Array(size * 2))
      this.#chainFree(size / 2)
    }
    const node = this.#free
    this.#free = this.#edges[node * 2]
    this.#rules[node] = 0
    this.#edges[node * 2] = NONE
    this.#edges[node * 2 + 1] = NONE
    return node
  }

  #chainFree(from: number): void {
    for (let n = this.#length.length - 1; n >= from; n--) {
      this.#edges[n * 2] = this.#free
      this.#free = n
    }
  }
}

function extend<T extends Uint32Array | Int32Array | Uint8Array>(from: T, to: T): T {
  to.set(from)
  return to
}

function bitAt(words: Uint32Array, at: number, offset: number): number {
  return (words[at + (offset >>> 5)] >>> (31 - (offset & 31))) & 1
}

/** 32 bits of the value from `offset` on, left-aligned; zeros behind its end. */
function bitsAt(words: Uint32Array, at: number, offset: number, bits: number): number {
  const shift = offset & 31
  const w = at + (offset >>> 5)
  const high = words[w] << shift
  return shift === 0 || (offset | 31) >= bits - 1 ? high : high | (words[w + 1] >>> (32 - shift))
}

/** The first `n` of 32 bits, as a signed number. */
export function prefixMask(n: number): number {
  return n === 0 ? 0 : -1 << (32 - n)
}
