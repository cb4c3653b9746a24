import type { RowReader } from './row-reader.ts'

/** A number of a column; one out of bounds is told and counts as none. */
export function inRange(row: RowReader, column: string, min: number, max: number): number | undefined {
  return bounded(row, column, row.optionalNumber(column), min, max)
}

/** A number that stands as text in a map. */
export function integerWord(
  row: RowReader,
  words: ReadonlyMap<string, string>,
  word: string,
  min: number,
  max: number,
): number | undefined {
  const what = `other_config:${word}`
  const parse = (digits: string) => (/^\d{1,15}$/.test(digits) ? Number(digits) : undefined)
  return bounded(row, what, row.parsed(what, words.get(word), parse, 'number'), min, max)
}

function bounded(
  row: RowReader,
  what: string,
  value: number | undefined,
  min: number,
  max: number,
): number | undefined {
  if (value === undefined || (value >= min && value <= max)) return value
  row.problem(`${what}: ${value} is not between ${min} and ${max}`)
  return undefined
}
