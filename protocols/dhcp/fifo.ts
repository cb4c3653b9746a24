/** What a `Fifo` threads its items on; both links are its own. */
export interface FifoItem {
  fifoNext: FifoItem | undefined
  fifoPrev: FifoItem | undefined
  fifoIn: boolean
}

/**
 * A queue whose links lie in the items, so that an item leaves from the middle in constant time. An item is in
 * at most one queue.
 */
export class Fifo<T extends FifoItem> {
  #head: FifoItem | undefined
  #tail: FifoItem | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The item that has waited longest. */
  get first(): T | undefined {
    return this.#head as T | undefined
  }

  push(item: T): void {
    if (item.fifoIn) throw new Error('the item is queued already')
    item.fifoIn = true
    item.fifoPrev = this.#tail
    item.fifoNext = undefined
    if (this.#tail === undefined) this.#head = item
    else this.#tail.fifoNext = item
    this.#tail = item
    this.#size++
  }

  /** Takes an item out; nothing happens when it is not queued. */
  remove(item: T): void {
    if (!item.fifoIn) return
    if (item.fifoPrev === undefined) this.#head = item.fifoNext
    else item.fifoPrev.fifoNext = item.fifoNext
    if (item.fifoNext === undefined) this.#tail = item.fifoPrev
    else item.fifoNext.fifoPrev = item.fifoPrev
    item.fifoIn = false
    item.fifoPrev = undefined
    item.fifoNext = undefined
    this.#size--
  }
}
