import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import { DatabaseReader, type Problem } from './row-reader.ts'

/** What has changed in a database: UUIDs of rows, and names of the tables that these are in. */
export type Touched = ReadonlySet<string>

interface Reading<T> {
  readonly value: T
  /** What it was read from, as in `DatabaseReader.seen`. */
  readonly from: ReadonlySet<string>
}

/**
 * Things that have been read of a database, each kept until a row changes that it was read from. A thing knows what
 * it depends on because its reader has noted every row that it looked at.
 */
export class Readings<T> {
  readonly #byThing = new Map<string, Reading<T>>()
  readonly #things = new Map<string, Set<string>>()
  readonly #problems = new Map<string, readonly Problem[]>()

  get(thing: string): T | undefined {
    return this.#byThing.get(thing)?.value
  }

  /** The thing as it was read before, or as it is read now. */
  read(thing: string, database: Snapshot, read: (rows: DatabaseReader) => T): T {
    const known = this.#byThing.get(thing)
    if (known !== undefined) return known.value
    const rows = new DatabaseReader(database)
    const value = read(rows)
    this.#byThing.set(thing, { value, from: rows.seen })
    if (rows.problems.length > 0) this.#problems.set(thing, rows.problems)
    for (const row of rows.seen) {
      const things = this.#things.get(row)
      if (things === undefined) this.#things.set(row, new Set([thing]))
      else things.add(thing)
    }
    return value
  }

  /** Things that were read from any of these. */
  readFrom(touched: Touched): Set<string> {
    const things = new Set<string>()
    for (const row of touched) for (const thing of this.#things.get(row) ?? []) things.add(thing)
    return things
  }

  forget(thing: string): void {
    for (const row of this.#byThing.get(thing)?.from ?? []) {
      const things = this.#things.get(row)
      things?.delete(thing)
      if (things?.size === 0) this.#things.delete(row)
    }
    this.#byThing.delete(thing)
    this.#problems.delete(thing)
  }

  /** Of all things that are kept. */
  problems(): Problem[] {
    return [...this.#problems.values()].flat()
  }
}
