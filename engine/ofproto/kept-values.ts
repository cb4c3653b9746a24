/**
 * Values that programs refer to by number: what is too large to stand in a program (the facts of a packet-in,
 * a translation that will go on later).
 *
 * Equal values share a number. The table is bounded: the value kept longest goes, and its tag is touched, so
 * that no cached program refers to it any more. Only then, and after all others, its number is used again.
 */
import { type TagListener, tagOf } from './tags.ts'

export class KeptValues<Value> {
  readonly #kind: number
  readonly #limit: number
  readonly #tags: TagListener
  readonly #textOf: (value: Value) => string
  readonly #values = new Map<number, { readonly value: Value; readonly text: string }>()
  readonly #ids = new Map<string, number>()
  readonly #last: number
  #next = 1

  /**
   * @param kind of tag (TAG_*)
   * @param limit values at the most
   * @param textOf the same for equal values only
   * @param last number to be used before the first is used again; above `limit`
   */
  constructor(
    kind: number,
    limit: number,
    tags: TagListener,
    textOf: (value: Value) => string,
    last = 0x7fff_ffff,
  ) {
    this.#kind = kind
    this.#limit = limit
    this.#tags = tags
    this.#textOf = textOf
    this.#last = last
  }

  /** The number of a value, from 1. */
  keep(value: Value): number {
    const text = this.#textOf(value)
    const known = this.#ids.get(text)
    if (known !== undefined) {
      // Used again, it is among the young.
      const kept = this.#values.get(known)!
      this.#values.delete(known)
      this.#values.set(known, kept)
      return known
    }
    if (this.#values.size === this.#limit) this.#evict()
    let id = this.#next
    while (this.#values.has(id)) id = this.#after(id)
    this.#next = this.#after(id)
    this.#values.set(id, { value, text })
    this.#ids.set(text, id)
    return id
  }

  #after(id: number): number {
    return id === this.#last ? 1 : id + 1
  }

  get(id: number): Value | undefined {
    return this.#values.get(id)?.value
  }

  /** The tag of cached decisions that refer to it. */
  tag(id: number): number {
    return tagOf(this.#kind, id, 0, 0)
  }

  #evict(): void {
    for (const [id, { text }] of this.#values) {
      this.#values.delete(id)
      this.#ids.delete(text)
      this.#tags.touch(this.tag(id))
      return
    }
  }
}
