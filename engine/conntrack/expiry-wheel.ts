/**
 * A timing wheel over small integers: insert, remove and "who is due" in O(1), no allocation.
 *
 * Refreshing a connection must not cost list surgery, so the wheel is lazy: a member is looked at no later
 * than it was inserted for, and whoever finds that its time has moved on inserts it again. A due time beyond
 * the horizon is looked at once per turn. Time is counted in ticks, a unit of the owner's choosing.
 */
const SLOTS = 4096
const NOBODY = -1

export class ExpiryWheel {
  /** First member of each slot, plus one; 0 for none. */
  readonly #heads = new Int32Array(SLOTS)
  #next = new Int32Array(0)
  #prev = new Int32Array(0)
  #slot = new Int16Array(0)
  #count = 0
  /** The tick whose slot is being looked at; every member lies in [at, at + SLOTS). */
  #at = 0
  /** No member is due before this tick. */
  #soonest = 0

  get at(): number {
    return this.#at
  }

  /** Makes room for members 0 … capacity-1. */
  reserve(capacity: number): void {
    if (capacity <= this.#next.length) return
    this.#next = grown(this.#next, capacity)
    this.#prev = grown(this.#prev, capacity)
    const slot = new Int16Array(capacity)
    slot.set(this.#slot)
    this.#slot = slot
  }

  /** @returns the tick at which the member will be looked at, at most `due` */
  insert(member: number, due: number): number {
    const tick = Math.max(this.#at, Math.min(due, this.#at + SLOTS - 1))
    const slot = tick & (SLOTS - 1)
    const head = this.#heads[slot]
    this.#next[member] = head
    this.#prev[member] = 0
    if (head !== 0) this.#prev[head - 1] = member + 1
    this.#heads[slot] = member + 1
    this.#slot[member] = slot
    if (this.#count === 0 || tick < this.#soonest) this.#soonest = tick
    this.#count++
    return tick
  }

  remove(member: number): void {
    const next = this.#next[member]
    const prev = this.#prev[member]
    if (prev === 0) this.#heads[this.#slot[member]] = next
    else this.#next[prev - 1] = next
    if (next !== 0) this.#prev[next - 1] = prev
    this.#count--
  }

  /** A member to be looked at by `now`, or -1. It stays until removed. */
  due(now: number): number {
    if (this.#count === 0) {
      if (this.#at <= now) this.#at = now + 1
      return NOBODY
    }
    while (this.#at <= now) {
      const head = this.#heads[this.#at & (SLOTS - 1)]
      if (head !== 0) return head - 1
      this.#at++
    }
    return NOBODY
  }

  /** The tick at which `due` will next have a member to show, or -1 for never. */
  next(): number {
    if (this.#count === 0) return NOBODY
    let tick = Math.max(this.#at, this.#soonest)
    while (this.#heads[tick & (SLOTS - 1)] === 0) tick++
    this.#soonest = tick
    return tick
  }
}

function grown(from: Int32Array, capacity: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(capacity)
  to.set(from)
  return to
}
