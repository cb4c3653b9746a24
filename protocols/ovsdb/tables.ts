import type { Table } from './database.ts'

/** The tables of a database by their names, in the order of the schema: a value of which it costs little to make another. */
export class Tables implements ReadonlyMap<string, Table> {
  readonly #places: ReadonlyMap<string, number>
  readonly #tables: readonly Table[]

  private constructor(places: ReadonlyMap<string, number>, tables: readonly Table[]) {
    this.#places = places
    this.#tables = tables
  }

  static of(tables: readonly Table[]): Tables {
    return new Tables(new Map(tables.map(({ schema }, place) => [schema.name, place])), tables)
  }

  /** With these in place of those that have their names. */
  with(changed: readonly Table[]): Tables {
    const tables = this.#tables.slice()
    for (const table of changed) tables[this.#places.get(table.schema.name)!] = table
    return new Tables(this.#places, tables)
  }

  get size(): number {
    return this.#tables.length
  }

  get(name: string): Table | undefined {
    const place = this.#places.get(name)
    return place === undefined ? undefined : this.#tables[place]
  }

  has(name: string): boolean {
    return this.#places.has(name)
  }

  forEach(visit: (table: Table, name: string, tables: ReadonlyMap<string, Table>) => void): void {
    for (const table of this.#tables) visit(table, table.schema.name, this)
  }

  keys(): MapIterator<string> {
    return this.#places.keys()
  }

  values(): MapIterator<Table> {
    return this.#tables.values()
  }

  entries(): MapIterator<[string, Table]> {
    return this.#tables.map((table): [string, Table] => [table.schema.name, table]).values()
  }

  [Symbol.iterator](): MapIterator<[string, Table]> {
    return this.entries()
  }
}
