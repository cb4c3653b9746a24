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
/** Words of a node, and what stands where. */
const NODE = 4
const LENGTH = 1
const CHILD = 2
const LENGTH_MASK = 0x3f
const ONE_RULE = 0x40

export class PrefixTrie {
  /** Length of the field in bits, a multiple of 32. */
  readonly bits: number
  /** Answer of the last `lookup`: bit n of the whole says that a prefix of length n + 1 matches. */
  readonly #found: Uint32Array

  /**
   * Nodes of four words, so that one is in one cache line: the bits from its parent's end on, left-aligned;
   * how many they are, at most 32, and above that the rules whose prefix ends here; two children, by the next
   * bit. Links are places of children in this array. Free nodes are chained through their first child.
   */
  #nodes: Int32Array
  #free = NONE

  constructor(bits: number) {
    this.bits = bits
    this.#found = new Uint32Array(bits >>> 5)
    this.#nodes = new Int32Array(8 * NODE).fill(NONE)
    this.#nodes[LENGTH] = 0
    this.#chainFree(NODE)
  }

  /** Adds one prefix of `length` bits, at least 1, of the value in `words[at…]`. */
  insert(words: Uint32Array, at: number, length: number): void {
    let link = CHILD + bitAt(words, at, 0)
    let offset = 0
    for (;;) {
      const node = this.#nodes[link]
      if (node === NONE) {
        this.#grow(link, words, at, offset, length)
        return
      }
      const equal = this.#equalBits(node, words, at, offset, length)
      offset += equal
      if (equal < (this.#nodes[node + LENGTH] & LENGTH_MASK)) {
        const upper = this.#split(link, node, equal)
        if (offset === length) this.#nodes[upper + LENGTH] += ONE_RULE
        else this.#grow(upper + CHILD + bitAt(words, at, offset), words, at, offset, length)
        return
      }
      if (offset === length) {
        this.#nodes[node + LENGTH] += ONE_RULE
        return
      }
      link = node + CHILD + bitAt(words, at, offset)
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
    const nodes = this.#nodes
    this.#found.fill(0)
    let node = ROOT
    let offset = 0
    for (;;) {
      const next = nodes[node + CHILD + bitAt(words, at, offset)]
      if (next === NONE) {
        const leaf = nodes[node + CHILD] === NONE && nodes[node + CHILD + 1] === NONE
        return leaf ? offset : offset + 1
      }
      const equal = this.#equalBits(next, words, at, offset, this.bits)
      offset += equal
      if (equal < (nodes[next + LENGTH] & LENGTH_MASK)) return offset + 1
      if (nodes[next + LENGTH] >= ONE_RULE) {
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
      this.#nodes[node] = bitsAt(words, at, offset, this.bits) & prefixMask(n)
      this.#nodes[node + LENGTH] = n
      this.#nodes[link] = node
      offset += n
      if (offset < length) link = node + CHILD + bitAt(words, at, offset)
      else this.#nodes[node + LENGTH] += ONE_RULE
    }
  }

  /** Cuts a node after `n` bits; answers the new upper part. */
  #split(link: number, node: number, n: number): number {
    const upper = this.#take()
    const nodes = this.#nodes
    nodes[upper] = nodes[node] & prefixMask(n)
    nodes[upper + LENGTH] = n
    nodes[node] = nodes[node] << n
    nodes[node + LENGTH] -= n
    nodes[upper + CHILD + (nodes[node] >>> 31)] = node
    nodes[link] = upper
    return upper
  }

  #removeBelow(parent: number, words: Uint32Array, at: number, offset: number, length: number): void {
    const link = parent + CHILD + bitAt(words, at, offset)
    const nodes = this.#nodes
    const node = nodes[link]
    if (node === NONE) return
    offset += nodes[node + LENGTH] & LENGTH_MASK
    if (offset === length) nodes[node + LENGTH] -= ONE_RULE
    else this.#removeBelow(node, words, at, offset, length)
    if (nodes[node + LENGTH] < ONE_RULE) this.#prune(link, node)
  }

  /** A node without rules gives way to its only child, if their bits fit one node, or to nothing. */
  #prune(link: number, node: number): void {
    const nodes = this.#nodes
    const left = nodes[node + CHILD]
    const right = nodes[node + CHILD + 1]
    if (left !== NONE && right !== NONE) return
    const child = left !== NONE ? left : right
    if (child !== NONE) {
      const n = nodes[node + LENGTH]
      if (n + (nodes[child + LENGTH] & LENGTH_MASK) > 32) return
      nodes[child] = nodes[node] | (nodes[child] >>> n)
      nodes[child + LENGTH] += n
    }
    nodes[link] = child
    nodes[node + CHILD] = this.#free
    this.#free = node
  }

  /** How many bits of a node's prefix the value has at `offset`, looking no further than `end`. */
  #equalBits(node: number, words: Uint32Array, at: number, offset: number, end: number): number {
    const difference = this.#nodes[node] ^ bitsAt(words, at, offset, this.bits)
    return Math.min(Math.clz32(difference), this.#nodes[node + LENGTH] & LENGTH_MASK, end - offset)
  }

  #take(): number {
    if (this.#free === NONE) {
      const old = this.#nodes
      this.#nodes = new Int32Array(old.length * 2)
      this.#nodes.set(old)
      this.#chainFree(old.length)
    }
    const node = this.#free
    this.#free = this.#nodes[node + CHILD]
    this.#nodes[node + CHILD] = NONE
    this.#nodes[node + CHILD + 1] = NONE
    return node
  }

  #chainFree(from: number): void {
    for (let node = this.#nodes.length - NODE; node >= from; node -= NODE) {
      this.#nodes[node + CHILD] = this.#free
      this.#free = node
    }
  }
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
