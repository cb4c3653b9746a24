/** Sets and maps added to and taken from each other, and what differs between them: all in one pass. */

import { type Atom, compareAtoms } from './atom.ts'
import type { ColumnType } from './column-type.ts'
import { type Datum, indexOfKey, lowerBound } from './datum.ts'
import { OvsdbError } from './error.ts'

/** Walks through both in order: `a` or `b` is -1 where only the other has the key. */
function merge(left: Datum, right: Datum, visit: (a: number, b: number) => void): void {
  let a = 0
  let b = 0
  while (a < left.keys.length || b < right.keys.length) {
    const order =
      a === left.keys.length ? 1 : b === right.keys.length ? -1 : compareAtoms(left.keys[a], right.keys[b])
    visit(order <= 0 ? a : -1, order >= 0 ? b : -1)
    if (order <= 0) a++
    if (order >= 0) b++
  }
}

/** Collects pairs that come in order. */
class Builder {
  readonly #keys: Atom[] = []
  readonly #values: Atom[] | undefined

  constructor(like: Datum) {
    this.#values = like.values === undefined ? undefined : []
  }

  add(from: Datum, index: number): void {
    this.#keys.push(from.keys[index])
    this.#values?.push(from.values![index])
  }

  datum(): Datum {
    // Copies have no room to grow.
    const keys = this.#keys.slice()
    return this.#values === undefined ? { keys } : { keys, values: this.#values.slice() }
  }
}

const sameValue = (a: Datum, i: number, b: Datum, j: number) =>
  a.values === undefined || b.values === undefined || a.values[i] === b.values[j]

/** Whether the set has the element; the map the pair, or the key where `part` is a set of keys. */
function hasPair(whole: Datum, part: Datum, index: number): boolean {
  const at = indexOfKey(whole, part.keys[index])
  return at >= 0 && sameValue(whole, at, part, index)
}

export function includesAll(whole: Datum, part: Datum): boolean {
  return part.keys.every((_, i) => hasPair(whole, part, i))
}

export function excludesAll(whole: Datum, part: Datum): boolean {
  return !part.keys.some((_, i) => hasPair(whole, part, i))
}

/** Few elements are put into a copy or taken out of it, which is faster than to walk through a large set. */
const FEW = 8

/** Both together; of a key that both maps have, the first one's value. */
export function union(first: Datum, second: Datum): Datum {
  const added = filter(second, (key) => indexOfKey(first, key) < 0)
  if (added.keys.length === 0) return first
  if (added.keys.length <= FEW) return spliced(first, added)
  const result = new Builder(first)
  merge(first, added, (a, b) => (a >= 0 ? result.add(first, a) : result.add(added, b)))
  return result.datum()
}

function spliced(first: Datum, added: Datum): Datum {
  const keys = first.keys.slice()
  const values = first.values?.slice()
  added.keys.forEach((key, i) => {
    const at = lowerBound(keys, key)
    keys.splice(at, 0, key)
    values?.splice(at, 0, added.values![i])
  })
  return values === undefined ? { keys } : { keys, values }
}

/** The first without the elements or pairs of the second, which for a map may also be a set of keys. */
export function subtract(first: Datum, second: Datum): Datum {
  const removed = filter(second, (_key, _value, i) => hasPair(first, second, i))
  if (removed.keys.length === 0) return first
  if (removed.keys.length > FEW) return filter(first, (_key, _value, i) => !hasPair(removed, first, i))
  const keys = first.keys.slice()
  const values = first.values?.slice()
  for (const key of removed.keys) {
    const at = lowerBound(keys, key)
    keys.splice(at, 1)
    values?.splice(at, 1)
  }
  return values === undefined ? { keys } : { keys, values }
}

/** The elements or pairs for which `keep` is true. */
export function filter(
  datum: Datum,
  keep: (key: Atom, value: Atom | undefined, index: number) => boolean,
): Datum {
  const kept = new Builder(datum)
  datum.keys.forEach((key, i) => {
    if (keep(key, datum.values?.[i], i)) kept.add(datum, i)
  })
  return kept.datum()
}

export interface Difference {
  readonly added: Datum
  readonly removed: Datum
}

/** What one has to add to `before` and to remove from it to get `after`. A pair with another value is in both. */
export function difference(before: Datum, after: Datum): Difference {
  const added = new Builder(after)
  const removed = new Builder(before)
  merge(before, after, (a, b) => {
    if (a >= 0 && b >= 0 && sameValue(before, a, after, b)) return
    if (a >= 0) removed.add(before, a)
    if (b >= 0) added.add(after, b)
  })
  return { added: added.datum(), removed: removed.datum() }
}

/**
 * The difference as "update2" and the log write it (ovsdb-server(7), 4.1.14): of a set what is in only one of
 * both; of a map also the new pair of a key that has another value; of anything that has at most one element
 * the new value.
 */
export function diffOf(before: Datum, after: Datum, type: ColumnType): Datum {
  if (type.max === 1) return after
  const result = new Builder(after)
  merge(before, after, (a, b) => {
    if (a >= 0 && b >= 0 && sameValue(before, a, after, b)) return
    if (b >= 0) result.add(after, b)
    else result.add(before, a)
  })
  return result.datum()
}

/** What `diffOf(before, after)` turns `before` into. Throws when that is too much or too little for the type. */
export function applyDiff(before: Datum, diff: Datum, type: ColumnType): Datum {
  if (type.max === 1) return diff
  const after = diffOf(before, diff, type)
  if (after.keys.length < type.min || after.keys.length > type.max) {
    throw new OvsdbError('ovsdb error', 'Datum created by diff has size error')
  }
  return after
}
