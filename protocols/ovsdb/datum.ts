/** The value of a column in a row: RFC 7047 §5.1's <value>, in memory. */

import { type Atom, type AtomicType, atomText, compareAtoms, defaultAtom } from './atom.ts'
import type { ColumnType } from './column-type.ts'

/** Elements of a set, or a scalar's one; a map's keys with its values. Keys are sorted and distinct. */
export interface Datum {
  readonly keys: readonly Atom[]
  /** In a map, as many as keys. */
  readonly values?: readonly Atom[]
}

export const EMPTY_SET: Datum = { keys: [] }
export const EMPTY_MAP: Datum = { keys: [], values: [] }

/** Most rows have the same few of these. */
const FALSE: Datum = { keys: [false] }
const TRUE: Datum = { keys: [true] }
const SMALL_INTEGERS = Array.from({ length: 256 }, (_, n): Datum => ({ keys: [n] }))

export function scalar(atom: Atom): Datum {
  if (typeof atom === 'boolean') return atom ? TRUE : FALSE
  return (typeof atom === 'number' && SMALL_INTEGERS[atom]) || { keys: [atom] }
}

/** What a column holds that was given no value (RFC 7047 §5.2.1). */
export function defaultDatum(type: ColumnType): Datum {
  if (type.min === 0) return type.value === undefined ? EMPTY_SET : EMPTY_MAP
  const key = defaultAtom(type.key.type)
  return type.value === undefined ? scalar(key) : { keys: [key], values: [defaultAtom(type.value.type)] }
}

export function equalDatums(a: Datum, b: Datum): boolean {
  return (
    a === b || (equalAtoms(a.keys, b.keys) && (a.values === undefined || equalAtoms(a.values, b.values!)))
  )
}

export function equalAtoms(a: readonly Atom[], b: readonly Atom[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** An order over all datums of a type: the fewer elements the smaller, then by keys, then by values. */
export function compareDatums(a: Datum, b: Datum): number {
  if (a.keys.length !== b.keys.length) return a.keys.length - b.keys.length
  return compareLists(a.keys, b.keys) || (a.values === undefined ? 0 : compareLists(a.values, b.values!))
}

function compareLists(a: readonly Atom[], b: readonly Atom[]): number {
  for (let i = 0; i < a.length; i++) {
    const order = compareAtoms(a[i], b[i])
    if (order !== 0) return order
  }
  return 0
}

/** Where the first of the sorted keys is that is not smaller than `key`. */
export function lowerBound(keys: readonly Atom[], key: Atom): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareAtoms(keys[middle], key) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Where `key` is among the keys; -1 when it is not. */
export function indexOfKey({ keys }: Datum, key: Atom): number {
  const at = lowerBound(keys, key)
  return at < keys.length && keys[at] === key ? at : -1
}

/** The value that a map has for `key`. */
export function mapValue(map: Datum, key: Atom): Atom | undefined {
  const i = indexOfKey(map, key)
  return i < 0 ? undefined : map.values?.[i]
}

/**
 * The datum of these keys and values in any order. Of equal keys the first is kept, of equal keys of a map the
 * one with the smallest value.
 */
export function datumOf(keys: readonly Atom[], values?: readonly Atom[]): Datum {
  return values === undefined ? { keys: sortedSet(keys) } : sortedMap(keys, values)
}

function sortedSet(keys: readonly Atom[]): readonly Atom[] {
  if (isAscending(keys)) return keys
  const sorted = [...keys].sort(compareAtoms)
  return isAscending(sorted) ? sorted : sorted.filter((key, i) => i === 0 || key !== sorted[i - 1])
}

function sortedMap(keys: readonly Atom[], values: readonly Atom[]): Datum {
  if (isAscending(keys)) return { keys, values }
  const order = keys
    .map((_, i) => i)
    .sort((i, j) => compareAtoms(keys[i], keys[j]) || compareAtoms(values[i], values[j]))
  const kept = order.filter((index, i) => i === 0 || keys[index] !== keys[order[i - 1]])
  return { keys: kept.map((i) => keys[i]), values: kept.map((i) => values[i]) }
}

function isAscending(keys: readonly Atom[]): boolean {
  for (let i = 1; i < keys.length; i++) if (compareAtoms(keys[i - 1], keys[i]) >= 0) return false
  return true
}

/** As Open vSwitch's tools print a datum: `[a, b]`, `{k=v}`, or the one element of a scalar or optional one. */
export function datumText(datum: Datum, type: ColumnType): string {
  const text = (atom: Atom, base: { type: AtomicType }) => atomText(atom, base.type)
  const { keys, values } = datum
  if (values !== undefined && type.value !== undefined) {
    const { value } = type
    return `{${keys.map((key, i) => `${text(key, type.key)}=${text(values[i], value)}`).join(', ')}}`
  }
  const elements = keys.map((key) => text(key, type.key)).join(', ')
  return type.max > 1 || keys.length === 0 ? `[${elements}]` : elements
}
