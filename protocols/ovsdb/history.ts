/** The transactions of late, by their ids, so that a client that comes back need not be told everything again. */

import type { RowChange } from './row.ts'
import type { Uuid } from './uuid.ts'

/** As many as ovsdb-server keeps. */
const MAX_TRANSACTIONS = 100
/** Rows of all of them together: of more than these it is as well to tell what there is. */
const MAX_ROWS = 10_000

interface Entry {
  readonly id: Uuid
  readonly changes: readonly RowChange[]
}

export class History {
  /** The id of what the database was before the first entry. */
  #start: Uuid
  #entries: Entry[] = []
  #rows = 0

  constructor(start: Uuid) {
    this.#start = start
  }

  /** Names the state of the database now. */
  get lastId(): Uuid {
    return this.#entries.at(-1)?.id ?? this.#start
  }

  add(id: Uuid, changes: readonly RowChange[]): void {
    this.#entries.push({ id, changes })
    this.#rows += changes.length
    while (this.#entries.length > MAX_TRANSACTIONS || this.#rows > MAX_ROWS) {
      const oldest = this.#entries.shift()!
      this.#rows -= oldest.changes.length
      this.#start = oldest.id
    }
  }

  /** All that changed since the transaction, in order; undefined when it is not known, or no longer. */
  since(id: Uuid): readonly RowChange[] | undefined {
    const at = id === this.#start ? 0 : this.#entries.findIndex((entry) => entry.id === id) + 1
    if (at === 0 && id !== this.#start) return undefined
    return this.#entries.slice(at).flatMap(({ changes }) => changes)
  }
}
