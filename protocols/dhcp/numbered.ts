/**
 * Things under small numbers, from 0 on, for what comes and goes by the thousand. Each time a Map outgrows its room, or
 * has had enough deletions, it leaves its old self behind, which keeps everything that was in it alive until the whole
 * heap is collected; an array is written over, and maps to numbers keep no more than their keys.
 */
export class Numbered<T> {
  readonly #things: (T | undefined)[] = []
  readonly #free: number[] = []

  /** Numbers in use. */
  get size(): number {
    return this.#things.length - this.#free.length
  }

  /** A number for something that is still to be `set`. */
  take(): number {
    const free = this.#free.pop()
    return free ?? this.#things.push(undefined) - 1
  }

  set(id: number, thing: T): void {
    this.#things[id] = thing
  }

  get(id: number): T | undefined {
    return id >= 0 && id < this.#things.length ? this.#things[id] : undefined
  }

  /** Forgets the thing; its number stays in use. */
  clear(id: number): void {
    if (this.get(id) !== undefined) this.#things[id] = undefined
  }

  /** Forgets all things; their numbers stay in use. */
  clearAll(): void {
    this.#things.fill(undefined)
  }

  /** Gives a number in use back, and forgets its thing. */
  giveBack(id: number): void {
    this.#things[id] = undefined
    this.#free.push(id)
  }

  *values(): IterableIterator<T> {
    for (const thing of this.#things) if (thing !== undefined) yield thing
  }
}
