import { withRow } from './columns.ts'

/** Beyond both ends of a queue. */
const END = -1
/** What stands by an item that is in no queue; by one that is, the next or the previous one and LINKED. */
const OUT = 0
const LINKED = 2

/**
 * A queue of items, each a small number of its owner's, from whose middle an item leaves in constant time.
 */
export class Fifo {
  #head = END
  #tail = END
  #size = 0
  /** By item. */
  #next = new Int32Array(0)
  #previous = new Int32Array(0)

  get size(): number {
    return this.#size
  }

  /** The item that has waited longest, -1 for none. */
  get first(): number {
    return this.#head
  }

  has(item: number): boolean {
    return item < this.#next.length && this.#next[item] !== OUT
  }

  push(item: number): void {
    if (this.has(item)) throw new Error('the item is queued already')
    this.#next = withRow(this.#next, item)
    this.#previous = withRow(this.#previous, item)
    this.#next[item] = END + LINKED
    this.#previous[item] = this.#tail + LINKED
    if (this.#tail === END) this.#head = item
    else this.#next[this.#tail] = item + LINKED
    this.#tail = item
    this.#size++
  }

  /** Takes an item out; nothing happens when it is not queued. */
  remove(item: number): void {
    if (!this.has(item)) return
    const next = this.#next[item] - LINKED
    const previous = this.#previous[item] - LINKED
    if (previous === END) this.#head = next
    else this.#next[previous] = next + LINKED
    if (next === END) this.#tail = previous
    else this.#previous[next] = previous + LINKED
    this.#next[item] = OUT
    this.#size--
  }
}
