/** Conditions of `find` and `wait-until`: `COLUMN[:KEY]{=}VALUE` and its like. */

import type { ColumnType } from '../../protocols/ovsdb/column-type.ts'
import { compareDatums, type Datum, EMPTY_SET, mapValue, scalar } from '../../protocols/ovsdb/datum.ts'
import { excludesAll, includesAll } from '../../protocols/ovsdb/datum-algebra.ts'
import { atomFromText, datumFromText, type ResolveSymbol } from '../../protocols/ovsdb/datum-from-text.ts'
import { VsctlError } from './command.ts'
import type { DraftRow } from './draft.ts'
import { parseColumnKeyValue } from './lookup.ts'

type Relation = (a: Datum, b: Datum) => boolean

const RELATIONS: Readonly<Record<string, Relation>> = {
  '=': (a, b) => compareDatums(a, b) === 0,
  '!=': (a, b) => compareDatums(a, b) !== 0,
  '<': (a, b) => compareDatums(a, b) < 0,
  '>': (a, b) => compareDatums(a, b) > 0,
  '<=': (a, b) => compareDatums(a, b) <= 0,
  '>=': (a, b) => compareDatums(a, b) >= 0,
  '{=}': (a, b) => compareDatums(a, b) === 0,
  '{!=}': (a, b) => compareDatums(a, b) !== 0,
  '{<}': (a, b) => b.keys.length > a.keys.length && includesAll(b, a),
  '{>}': (a, b) => a.keys.length > b.keys.length && includesAll(a, b),
  '{<=}': (a, b) => includesAll(b, a),
  '{>=}': (a, b) => includesAll(a, b),
  '{in}': (a, b) => includesAll(b, a),
  '{not-in}': (a, b) => excludesAll(b, a),
}
const OPERATORS = Object.keys(RELATIONS)

export function meets(row: DraftRow, condition: string, resolve: ResolveSymbol): boolean {
  const { column, key, operator, value } = parseColumnKeyValue(condition, row.table, OPERATORS)
  const relation = RELATIONS[operator]
  const { type } = column
  const have = row.get(column.name)
  if (key === undefined) return relation(have, datumFromText(value, type, resolve))
  if (type.value === undefined) {
    throw new VsctlError(`cannot specify key to check for non-map column ${column.name}`)
  }
  const wanted = atomFromText(key, type.key, resolve)
  const valueType: ColumnType = { key: type.value, min: type.min, max: Number.POSITIVE_INFINITY }
  const other = datumFromText(value, valueType, resolve)
  const found = mapValue(have, wanted)
  if (found === undefined && !operator.startsWith('{')) return false
  return relation(found === undefined ? EMPTY_SET : scalar(found), other)
}
