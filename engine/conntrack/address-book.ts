/**
 * IPv6 addresses as 32-bit numbers, so that a connection's tuple is as short as one of IPv4. An address has a
 * number as long as some connection uses it.
 */

interface Entry {
  readonly id: number
  uses: number
}

export class AddressBook {
  readonly #ids = new Map<string, Entry>()
  readonly #words = new Map<number, Uint32Array>()
  readonly #free: number[] = []
  #next = 1

  /** The number of the address in four words from `at` on, or 0 when nobody uses it. */
  find(words: Uint32Array, at: number): number {
    return this.#ids.get(textOf(words, at))?.id ?? 0
  }

  /** The same, with one more use. */
  hold(words: Uint32Array, at: number): number {
    const text = textOf(words, at)
    let entry = this.#ids.get(text)
    if (entry === undefined) {
      entry = { id: this.#free.pop() ?? this.#next++, uses: 0 }
      this.#ids.set(text, entry)
      this.#words.set(entry.id, words.slice(at, at + 4))
    }
    entry.uses++
    return entry.id
  }

  /** One use less. */
  release(id: number): void {
    const words = this.#words.get(id)
    if (words === undefined) return
    const text = textOf(words, 0)
    const entry = this.#ids.get(text)!
    if (--entry.uses > 0) return
    this.#ids.delete(text)
    this.#words.delete(id)
    this.#free.push(id)
  }

  /** The four words of an address that has a number. */
  wordsOf(id: number): Uint32Array {
    return this.#words.get(id)!
  }
}

function textOf(words: Uint32Array, at: number): string {
  return `${words[at]}:${words[at + 1]}:${words[at + 2]}:${words[at + 3]}`
}
