/**
 * A map from text that is a value: to change it is to make another one, which shares with the first all that
 * is alike (a hash array mapped trie, Bagwell 2001). Reading, and each change, takes a few steps whatever the
 * size; a map that is already changing is edited in place, so that a thousand changes are no thousand copies.
 */

const BITS = 5
const MASK = (1 << BITS) - 1

const LEAF = 0
const BUCKET = 1
const BRANCH = 2

interface Leaf<V> {
  readonly kind: typeof LEAF
  readonly hash: number
  readonly key: string
  readonly value: V
}

/** Leaves of one hash. */
interface Bucket<V> {
  readonly kind: typeof BUCKET
  readonly hash: number
  readonly leaves: readonly Leaf<V>[]
}

/** Up to 32 children, by five bits of the hash; those that exist have a bit in `bitmap`. */
interface Branch<V> {
  readonly kind: typeof BRANCH
  /** The edit that may change it in place. */
  readonly owner: object | undefined
  bitmap: number
  children: Node<V>[]
}

type Node<V> = Leaf<V> | Bucket<V> | Branch<V>

/** FNV-1a, with its bits mixed once more for those that are looked at first. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}

/** Ones below `bit`, which is where a child of it stands. */
function position(bitmap: number, bit: number): number {
  let n = bitmap & (bit - 1)
  n -= (n >>> 1) & 0x55555555
  n = (n & 0x33333333) + ((n >>> 2) & 0x33333333)
  return Math.imul((n + (n >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** The list with an element more: of just its length, where one that grows in place keeps room for many more. */
function withElement<T>(list: readonly T[], at: number, element: T): T[] {
  const longer = new Array<T>(list.length + 1)
  for (let i = 0; i < at; i++) longer[i] = list[i]
  longer[at] = element
  for (let i = at; i < list.length; i++) longer[i + 1] = list[i]
  return longer
}

function find<V>(root: Branch<V>, key: string): V | undefined {
  const hash = hashOf(key)
  let branch = root
  for (let shift = 0; ; shift += BITS) {
    const bit = 1 << ((hash >>> shift) & MASK)
    if ((branch.bitmap & bit) === 0) return undefined
    const child = branch.children[position(branch.bitmap, bit)]
    if (child.kind === BRANCH) {
      branch = child
    } else if (child.kind === LEAF) {
      return child.key === key ? child.value : undefined
    } else {
      return child.leaves.find((leaf) => leaf.key === key)?.value
    }
  }
}

function visitAll<V>(node: Node<V>, visit: (value: V, key: string) => void): void {
  if (node.kind === BRANCH) for (const child of node.children) visitAll(child, visit)
  else if (node.kind === LEAF) visit(node.value, node.key)
  else for (const leaf of node.leaves) visit(leaf.value, leaf.key)
}

abstract class Readable<V> {
  /** For this module only. */
  abstract readonly root: Branch<V>
  abstract readonly size: number

  get(key: string): V | undefined {
    return find(this.root, key)
  }

  has(key: string): boolean {
    return find(this.root, key) !== undefined
  }

  /** In no order that means anything. The map must not be edited meanwhile. */
  forEach(visit: (value: V, key: string) => void): void {
    visitAll(this.root, visit)
  }

  values(): V[] {
    const values: V[] = []
    this.forEach((value) => {
      values.push(value)
    })
    return values
  }
}

/** Values are anything but undefined. */
export class PersistentMap<V> extends Readable<V> {
  readonly root: Branch<V>
  readonly size: number

  /** Others begin with `empty`. */
  constructor(root: Branch<V>, size: number) {
    super()
    this.root = root
    this.size = size
  }

  static empty<V>(): PersistentMap<V> {
    return new PersistentMap({ kind: BRANCH, owner: undefined, bitmap: 0, children: [] }, 0)
  }

  with(key: string, value: V): PersistentMap<V> {
    const edit = this.edit()
    edit.set(key, value)
    return edit.done()
  }

  without(key: string): PersistentMap<V> {
    const edit = this.edit()
    edit.delete(key)
    return edit.done()
  }

  edit(): MapEdit<V> {
    return new MapEdit(this)
  }
}

/** A map on its way to the next value. */
export class MapEdit<V> extends Readable<V> {
  root: Branch<V>
  size: number
  #value: PersistentMap<V>
  /** Marks the branches that nobody else knows. */
  #owner: object = {}

  constructor(from: PersistentMap<V>) {
    super()
    this.root = from.root
    this.size = from.size
    this.#value = from
  }

  /** The value as it is now, the same where nothing has changed. The edit may go on, and no longer changes it. */
  done(): PersistentMap<V> {
    if (this.root === this.#value.root) return this.#value
    this.#owner = {}
    this.#value = new PersistentMap(this.root, this.size)
    return this.#value
  }

  set(key: string, value: V): void {
    this.root = this.#put(this.root, 0, { kind: LEAF, hash: hashOf(key), key, value })
  }

  delete(key: string): void {
    this.root =
      this.#remove(this.root, 0, hashOf(key), key) ?? this.#own({ ...this.root, bitmap: 0, children: [] })
  }

  #own(branch: Branch<V>): Branch<V> {
    if (branch.owner === this.#owner) return branch
    return { kind: BRANCH, owner: this.#owner, bitmap: branch.bitmap, children: branch.children.slice() }
  }

  #put(branch: Branch<V>, shift: number, leaf: Leaf<V>): Branch<V> {
    const bit = 1 << ((leaf.hash >>> shift) & MASK)
    const at = position(branch.bitmap, bit)
    const own = this.#own(branch)
    if ((branch.bitmap & bit) === 0) {
      own.bitmap |= bit
      own.children = withElement(own.children, at, leaf)
      this.size++
    } else {
      own.children[at] = this.#join(own.children[at], shift + BITS, leaf)
    }
    return own
  }

  #join(node: Node<V>, shift: number, leaf: Leaf<V>): Node<V> {
    if (node.kind === BRANCH) return this.#put(node, shift, leaf)
    if (node.hash !== leaf.hash) {
      const bit = 1 << ((node.hash >>> shift) & MASK)
      return this.#put({ kind: BRANCH, owner: this.#owner, bitmap: bit, children: [node] }, shift, leaf)
    }
    const others = (node.kind === LEAF ? [node] : node.leaves).filter((other) => other.key !== leaf.key)
    if (node.kind === LEAF ? others.length === 1 : others.length === node.leaves.length) this.size++
    return others.length === 0 ? leaf : { kind: BUCKET, hash: leaf.hash, leaves: [...others, leaf] }
  }

  /** Undefined when nothing is left. */
  #remove(branch: Branch<V>, shift: number, hash: number, key: string): Branch<V> | undefined {
    const bit = 1 << ((hash >>> shift) & MASK)
    if ((branch.bitmap & bit) === 0) return branch
    const at = position(branch.bitmap, bit)
    const child = branch.children[at]
    const left =
      child.kind === BRANCH ? this.#remove(child, shift + BITS, hash, key) : this.#withoutKey(child, key)
    if (left === child) return branch
    const own = this.#own(branch)
    if (left !== undefined) {
      own.children[at] = left
    } else if (own.children.length === 1) {
      return undefined
    } else {
      own.bitmap &= ~bit
      own.children.splice(at, 1)
    }
    return own
  }

  #withoutKey(node: Leaf<V> | Bucket<V>, key: string): Leaf<V> | Bucket<V> | undefined {
    const leaves = node.kind === LEAF ? [node] : node.leaves
    const left = leaves.filter((leaf) => leaf.key !== key)
    if (left.length === leaves.length) return node
    this.size--
    return left.length > 1 ? { kind: BUCKET, hash: node.hash, leaves: left } : left[0]
  }
}
