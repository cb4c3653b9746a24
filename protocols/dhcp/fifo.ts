/** Beyond both ends of a queue, and what an item that is in none has behind it. */
const END = -1
const OUT = -2

/**
 * A queue of items, each a small number of its owner's, from whose middle an item leaves in constant time. All that is
 * kept are numbers, which no garbage collection ever looks at.
 */
export class Fifo {
  #head = END
  #tail = END
  #size = 0
  /** By item. */
  readonly #next: number[] = []
  readonly #previous: number[] = []

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
    while (this.#next.length <= item) {
      this.#next.push(OUT)
      this.#previous.push(END)
    }
    this.#next[item] = END
    this.#previous[item] = this.#tail
    if (this.#tail === END) this.#head = item
    else this.#next[this.#tail] = item
    this.#tail = item
    this.#size++
  }

  /** Takes an item out; nothing happens when it is not queued. */
  remove(item: number): void {
    if (!this.has(item)) return
    const next = this.#next[item]
    const previous = this.#previous[item]
    if (previous === END) this.#head = next
    else this.#next[previous] = next
    if (next === END) this.#tail = previous
    else this.#previous[next] = previous
    this.#next[item] = OUT
    this.#size--
  }
}
