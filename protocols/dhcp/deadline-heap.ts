import type { Instant } from '../time.ts'
import { withRow } from './columns.ts'

/**
 * A binary heap of items by deadline, each a small number of its owner's. An item can be rescheduled or taken out in
 * logarithmic time.
 */
export class DeadlineHeap {
  #size = 0
  #items = new Int32Array(0)
  /** By item: its place in the heap and one, 0 for none, and when it is due. */
  #places = new Int32Array(0)
  #deadlines = new Float64Array(0)

  get size(): number {
    return this.#size
  }

  /** When the first item is due; undefined when there is none. */
  get nextDue(): Instant | undefined {
    return this.#size === 0 ? undefined : this.#deadlines[this.#items[0]]
  }

  /** The last deadline of an item that has had one. */
  deadlineOf(item: number): Instant {
    return this.#deadlines[item]
  }

  /** Puts an item in, or moves one that is in, to a deadline. An infinite one is kept out. */
  schedule(item: number, deadline: Instant): void {
    this.#places = withRow(this.#places, item)
    this.#deadlines = withRow(this.#deadlines, item)
    if (deadline === Number.POSITIVE_INFINITY) {
      this.cancel(item)
      this.#deadlines[item] = deadline
      return
    }
    this.#deadlines[item] = deadline
    if (this.#places[item] === 0) {
      this.#items = withRow(this.#items, this.#size)
      this.#place(item, this.#size++)
    }
    this.#up(this.#places[item] - 1)
    this.#down(this.#places[item] - 1)
  }

  /** Takes an item out; nothing happens when it is not in. */
  cancel(item: number): void {
    if (item >= this.#places.length || this.#places[item] === 0) return
    const slot = this.#places[item] - 1
    const last = this.#items[--this.#size]
    this.#places[item] = 0
    if (last === item) return
    this.#place(last, slot)
    this.#up(slot)
    this.#down(this.#places[last] - 1)
  }

  /** Takes out and returns the first item if it is due at `now`, else -1. */
  popDue(now: Instant): number {
    if (this.#size === 0) return -1
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
      if (child >= this.#size) break
      if (child + 1 < this.#size && deadlines[items[child + 1]] < deadlines[items[child]]) child++
      if (deadlines[items[child]] >= deadlines[item]) break
      this.#place(items[child], slot)
      slot = child
    }
    this.#place(item, slot)
  }

  #place(item: number, slot: number): void {
    this.#items[slot] = item
    this.#places[item] = slot + 1
  }
}
