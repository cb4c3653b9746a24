/**
 * How many rules a subtable has of each priority, and the highest. A heap holds the priorities in use, each
 * once; those that fell out of use stay in it, with a count of 0, until they come to its top.
 */

/** Rises of the ceiling that cost nothing. */
const FREE_RISES = 4

export class PriorityCounts {
  readonly #counts = new Map<number, number>()
  readonly #heap: number[] = []
  /** The highest priority in use; -1 for none. */
  max = -1
  /** Lookups with a rule of this priority or a higher one need not visit the subtable: at least `max`. */
  ceiling = -1
  #rises = 0

  count(priority: number): number {
    return this.#counts.get(priority) ?? 0
  }

  add(priority: number): void {
    const count = this.#counts.get(priority)
    this.#counts.set(priority, (count ?? 0) + 1)
    if (count !== undefined) return
    this.#push(priority)
    if (priority > this.max) this.max = priority
  }

  remove(priority: number): void {
    const count = this.count(priority) - 1
    this.#counts.set(priority, count)
    if (count > 0 || priority !== this.max) return
    const heap = this.#heap
    while (heap.length > 0 && this.count(heap[0]) === 0) {
      this.#counts.delete(heap[0])
      this.#pop()
    }
    this.max = heap.length > 0 ? heap[0] : -1
  }

  /**
   * Sets the ceiling anew after the priorities changed. Where it has risen often it keeps its distance, twice
   * as much each time: every rise concerns all lookups that did not visit the subtable, and a row of rules of
   * rising priority is to end in few of them.
   */
  adjustCeiling(): void {
    if (this.max > this.ceiling) this.#rises++
    this.ceiling = this.max + (this.#rises > FREE_RISES ? 2 ** Math.min(16, this.#rises - FREE_RISES) : 0)
  }

  #push(priority: number): void {
    const heap = this.#heap
    let i = heap.length
    heap.push(priority)
    for (let up = (i - 1) >> 1; i > 0 && heap[up] < priority; up = (i - 1) >> 1) {
      heap[i] = heap[up]
      heap[up] = priority
      i = up
    }
  }

  #pop(): void {
    const heap = this.#heap
    const moved = heap.pop()!
    if (heap.length === 0) return
    let i = 0
    for (;;) {
      let down = 2 * i + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && heap[down + 1] > heap[down]) down++
      if (heap[down] <= moved) break
      heap[i] = heap[down]
      i = down
    }
    heap[i] = moved
  }
}
