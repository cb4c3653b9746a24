/**
 * Rows of a database, read as the values that a network is made of. What a column cannot mean is told as a problem of
 * its row, and read as if the column were empty: one bad value is no reason to leave everything else.
 */
import type { Atom } from '../../protocols/ovsdb/atom.ts'
import { type Datum, EMPTY_SET } from '../../protocols/ovsdb/datum.ts'
import type { PersistentMap } from '../../protocols/ovsdb/persistent-map.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { Row } from '../../protocols/ovsdb/row.ts'
import { parseMac } from '../../protocols/wire/ethernet.ts'
import { formatIpv4, type Prefix, parseIpv4, parsePrefix } from '../../protocols/wire/ipv4.ts'
import { compareNames } from '../compare-names.ts'

export interface Problem {
  readonly table: string
  readonly uuid: string
  /** What is wrong, in one sentence without its full stop. */
  readonly message: string
}

export class RowReader {
  readonly table: string
  readonly #row: Row
  readonly #problems: Problem[]

  constructor(table: string, row: Row, problems: Problem[]) {
    this.table = table
    this.#row = row
    this.#problems = problems
  }

  get uuid(): string {
    return this.#row.uuid
  }

  problem(message: string): void {
    this.#problems.push({ table: this.table, uuid: this.uuid, message })
  }

  datum(column: string): Datum {
    return this.#row.columns[column] ?? EMPTY_SET
  }

  /** Whether the column says nothing: no element, or what a column has that nobody has set. */
  isDefault(column: string): boolean {
    const { keys, values } = this.datum(column)
    if (keys.length === 0) return true
    const [only] = keys
    return values === undefined && keys.length === 1 && (only === 0 || only === false || only === '')
  }

  optionalText(column: string): string | undefined {
    return this.datum(column).keys[0] as string | undefined
  }

  text(column: string): string {
    return this.optionalText(column) ?? ''
  }

  optionalNumber(column: string): number | undefined {
    const atom = this.datum(column).keys[0]
    return atom === undefined ? undefined : Number(atom)
  }

  number(column: string): number {
    return this.optionalNumber(column) ?? 0
  }

  optionalFlag(column: string): boolean | undefined {
    return this.datum(column).keys[0] as boolean | undefined
  }

  flag(column: string): boolean {
    return this.optionalFlag(column) ?? false
  }

  texts(column: string): readonly string[] {
    return this.datum(column).keys as readonly string[]
  }

  numbers(column: string): readonly number[] {
    return this.datum(column).keys.map(Number)
  }

  words(column: string): ReadonlyMap<string, string> {
    return new Map(this.entries(column)) as ReadonlyMap<string, string>
  }

  entries(column: string): readonly (readonly [Atom, Atom])[] {
    const { keys, values } = this.datum(column)
    return keys.map((key, i) => [key, values![i]!])
  }

  /** Elements of a map from position to element, which databases keep by position. */
  list(column: string): readonly string[] {
    return (this.datum(column).values ?? []) as readonly string[]
  }

  mac(column: string): number | undefined {
    return this.macOf(column, this.optionalText(column))
  }

  /** @param what the value is called in problems */
  macOf(what: string, text: string | undefined): number | undefined {
    return this.parsed(what, text, parseMac, 'MAC address')
  }

  address(column: string): number | undefined {
    return this.parsed(column, this.optionalText(column), parseIpv4, 'IPv4 address')
  }

  addresses(column: string): number[] {
    return this.#all(column, parseIpv4, 'IPv4 address')
  }

  prefix(column: string): Prefix | undefined {
    return this.parsed(column, this.optionalText(column), parsePrefix, 'address with its prefix length')
  }

  prefixes(column: string): Prefix[] {
    return this.#all(column, parsePrefix, 'address with its prefix length')
  }

  ranges(column: string): AddressRange[] {
    return this.#all(column, parseRange, 'IPv4 address or range')
  }

  parsed<T>(
    what: string,
    text: string | undefined,
    parse: (text: string) => T | undefined,
    expected: string,
  ): T | undefined {
    if (text === undefined) return undefined
    const value = parse(text)
    if (value === undefined) this.problem(`${what}: "${text}" is no ${expected}`)
    return value
  }

  #all<T>(column: string, parse: (text: string) => T | undefined, expected: string): T[] {
    const read = this.list(column).map((text) => this.parsed(column, text, parse, expected))
    return read.filter((value): value is T & {} => value !== undefined)
  }
}

interface AddressRange {
  readonly first: number
  readonly last: number
}

function parseRange(text: string): AddressRange | undefined {
  const [a, b, ...rest] = text.split('-')
  const first = parseIpv4(a!)
  const last = b === undefined ? first : parseIpv4(b)
  return first === undefined || last === undefined || rest.length > 0 ? undefined : { first, last }
}

export function formatRange({ first, last }: AddressRange): string {
  return first === last ? formatIpv4(first) : `${formatIpv4(first)}-${formatIpv4(last)}`
}

/** A database as it is read: rows that tell their problems, and of which it is known that they were looked at. */
export class DatabaseReader {
  readonly problems: Problem[] = []
  /** UUIDs of the rows that were looked at, there or not, and names of tables all of whose rows were. */
  readonly seen = new Set<string>()
  readonly #database: Snapshot | undefined

  /** @param database undefined is as good as an empty one */
  constructor(database: Snapshot | undefined) {
    this.#database = database
  }

  all(table: string): RowReader[] {
    this.seen.add(table)
    return (
      this.#rows(table)
        ?.values()
        .map((row) => this.#read(table, row)) ?? []
    )
  }

  /** The one row of a table that has no more. */
  root(table: string): RowReader | undefined {
    return this.all(table)[0]
  }

  get(table: string, uuid: string): RowReader | undefined {
    this.seen.add(uuid)
    const row = this.#rows(table)?.get(uuid)
    return row === undefined ? undefined : this.#read(table, row)
  }

  /** The rows that the references of a column lead to: of a set by name, of a map by their keys. */
  follow(from: RowReader | undefined, column: string, table: string): RowReader[] {
    const { keys, values } = from?.datum(column) ?? EMPTY_SET
    const rows = (values ?? keys).flatMap((uuid) => this.get(table, uuid as string) ?? [])
    return values === undefined ? rows.sort(byName) : rows
  }

  #rows(table: string): PersistentMap<Row> | undefined {
    return this.#database?.tables.get(table)?.rows
  }

  #read(table: string, row: Row): RowReader {
    return new RowReader(table, row, this.problems)
  }
}

function byName(a: RowReader, b: RowReader): number {
  return compareNames(a.text('name'), b.text('name'))
}
