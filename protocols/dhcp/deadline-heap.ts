import type { Instant } from '../time.ts'

/**
 * A binary heap of items by deadline, each a small number of its owner's. An item can be rescheduled or taken out in
 * logarithmic time. All that is kept are numbers, which no garbage collection ever looks at.
 */
export class DeadlineHeap {
  readonly #items: number[] = []
  /** Where each item is in the heap, -1 for nowhere, and when it is due. */
  readonly #slots: number[] = []
  readonly #deadlines: Instant[] = []

  get size(): number {
    return this.#items.length
  }

  /** When the first item is due; undefined when there is none. */
  get nextDue(): Instant | undefined {
    return this.#items.length === 0 ? undefined : this.#deadlines[this.#items[0]]
  }

  /** The last deadline of an item that has had one. */
  deadlineOf(item: number): Instant {
    return this.#deadlines[item]
  }

  /** Puts an item in, or moves one that is in, to a deadline. An infinite one is kept out. */
  schedule(item: number, deadline: Instant): void {
    while (this.#slots.length <= item) {
      this.#slots.push(-1)
      this.#deadlines.push(0)
    }
    if (deadline === Number.POSITIVE_INFINITY) {
      this.cancel(item)
      this.#deadlines[item] = deadline
      return
    }
    this.#deadlines[item] = deadline
    if (this.#slots[item] < 0) {
      this.#slots[item] = this.#items.length
      this.#items.push(item)
    }
    this.#up(this.#slots[item])
    this.#down(this.#slots[item])
  }

  /** Takes an item out; nothing happens when it is not in. */
  cancel(item: number): void {
    const slot = item < this.#slots.length ? this.#slots[item] : -1
    if (slot < 0) return
    const last = this.#items.pop()!
    this.#slots[item] = -1
    if (last === item) return
    this.#items[slot] = last
    this.#slots[last] = slot
    this.#up(slot)
    this.#down(this.#slots[last])
  }

  /** Takes out and returns the first item if it is due at `now`, else -1. */
  popDue(now: Instant): number {
    if (this.#items.length === 0) return -1
    const item = this.#items[0]
    if (this.#deadlines[item] > now) return -1
    this.cancel(item)
    return item
  }

  #up(slot: number): void {
    const items = this.#items
    const deadlines = this.#deadlines
    const item = items[slot]
    while (slot > 0) {
      const parent = (slot - 1) >> 1
      if (deadlines[items[parent]] <= deadlines[item]) break
      this.#place(items[parent], slot)
      slot = parent
    }
    this.#place(item, slot)
  }

  #down(slot: number): void {
    const items = this.#items
    const deadlines = this.#deadlines
    const item = items[slot]
    for (;;) {
      let child = 2 * slot + 1
      if (child >= items.length) break
      if (child + 1 < items.length && deadlines[items[child + 1]] < deadlines[items[child]]) child++
      if (deadlines[items[child]] >= deadlines[item]) break
      this.#place(items[child], slot)
      slot = child
    }
    this.#place(item, slot)
  }

  #place(item: number, slot: number): void {
    this.#items[slot] = item
    this.#slots[item] = slot
  }
}
