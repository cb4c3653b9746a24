/** Rows as they are to be in a database, before they have a UUID: they refer to each other by keys. */
import type { Atom } from '../../protocols/ovsdb/atom.ts'

export interface WantedRow {
  /** Names the row among those that are wanted. */
  readonly key: string
  readonly table: string
  /** Other columns are nobody's business here. */
  readonly columns: Readonly<Record<string, Wanted>>
}

/** A datum with references in it. */
export interface Wanted {
  readonly keys: readonly WantedAtom[]
  readonly values?: readonly WantedAtom[]
}

export type WantedAtom = Atom | Reference

/** To a wanted row. */
export interface Reference {
  readonly row: string
}

export function isReference(atom: WantedAtom): atom is Reference {
  return typeof atom === 'object'
}

export function scalar(atom: WantedAtom): Wanted {
  return { keys: [atom] }
}

export function optional(atom: WantedAtom | undefined): Wanted {
  return { keys: atom === undefined ? [] : [atom] }
}

export function setOf(atoms: readonly WantedAtom[]): Wanted {
  return { keys: atoms }
}

export function mapOf(entries: Iterable<readonly [Atom, WantedAtom]>): Wanted {
  const all = [...entries]
  return { keys: all.map(([key]) => key), values: all.map(([, value]) => value) }
}

/** Words whose value is not undefined. */
export function wordsOf(words: Readonly<Record<string, string | number | undefined>>): Wanted {
  return mapOf(
    Object.entries(words).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, String(value)] as const],
    ),
  )
}

/** A map from position to element. */
export function listOf(atoms: readonly WantedAtom[]): Wanted {
  return mapOf(atoms.map((atom, position) => [position, atom] as const))
}

/** Collects rows; each call answers the reference to the row it has added. */
export class WantedRows {
  readonly rows: WantedRow[] = []

  add(table: string, name: string, columns: WantedRow['columns']): Reference {
    const key = `${table}/${name}`
    this.rows.push({ key, table, columns })
    return { row: key }
  }
}
