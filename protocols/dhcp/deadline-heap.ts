import type { Instant } from '../time.ts'

/** Something that falls due. `heapSlot` belongs to the heap: -1 while it is in none. */
export interface Timed {
  deadline: Instant
  heapSlot: number
}

/** A binary heap by deadline. An item can be rescheduled or taken out in logarithmic time. */
export class DeadlineHeap<T extends Timed> {
  readonly #items: T[] = []

  get size(): number {
    return this.#items.length
  }

  /** The item due first. */
  get first(): T | undefined {
    return this.#items[0]
  }

  /** Puts an item in, or moves one that is in, to a deadline. An infinite one is kept out. */
  schedule(item: T, deadline: Instant): void {
    if (deadline === Number.POSITIVE_INFINITY) {
      this.cancel(item)
      item.deadline = deadline
      return
    }
    item.deadline = deadline
    if (item.heapSlot < 0) {
      item.heapSlot = this.#items.length
      this.#items.push(item)
    }
    this.#up(item.heapSlot)
    this.#down(item.heapSlot)
  }

  /** Takes an item out; nothing happens when it is not in. */
  cancel(item: T): void {
    const slot = item.heapSlot
    if (slot < 0) return
    const last = this.#items.pop()!
    item.heapSlot = -1
    if (last === item) return
    this.#items[slot] = last
    last.heapSlot = slot
    this.#up(slot)
    this.#down(last.heapSlot)
  }

  /** Takes out and returns the first item if it is due at `now`. */
  popDue(now: Instant): T | undefined {
    const item = this.#items[0]
    if (item === undefined || item.deadline > now) return undefined
    this.cancel(item)
    return item
  }

  #up(slot: number): void {
    const items = this.#items
    const item = items[slot]
    while (slot > 0) {
      const parent = (slot - 1) >> 1
      if (items[parent].deadline <= item.deadline) break
      items[slot] = items[parent]
      items[slot].heapSlot = slot
      slot = parent
    }
    items[slot] = item
    item.heapSlot = slot
  }

  #down(slot: number): void {
    const items = this.#items
    const item = items[slot]
    for (;;) {
      let child = 2 * slot + 1
      if (child >= items.length) break
      if (child + 1 < items.length && items[child + 1].deadline < items[child].deadline) child++
      if (items[child].deadline >= item.deadline) break
      items[slot] = items[child]
      items[slot].heapSlot = slot
      slot = child
    }
    items[slot] = item
    item.heapSlot = slot
  }
}
