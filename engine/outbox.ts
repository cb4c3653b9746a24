/** What one thread has to tell another: it leaves together, since every message of its own costs both sides dearly. */
export class Outbox<Item> {
  readonly #send: (items: Item[]) => void
  #items: Item[] = []

  /** @param send is never given an empty list */
  constructor(send: (items: Item[]) => void) {
    this.#send = send
  }

  put(item: Item): void {
    this.#items.push(item)
  }

  get empty(): boolean {
    return this.#items.length === 0
  }

  flush(): void {
    if (this.#items.length === 0) return
    const items = this.#items
    this.#items = []
    this.#send(items)
  }
}
