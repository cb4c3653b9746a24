/** Questions to a JSON value as OVSDB asks them. */

import { formatJson, isJsonObject, type Json, type JsonObject } from './json-text.ts'

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n

export function isArray(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json)
}

/** Whether the object itself has the member; what it inherits does not count. */
export function hasMember(object: JsonObject, name: string): boolean {
  return Object.hasOwn(object, name)
}

/** The integer in its one form: a number when that is exact, else a bigint. */
export function integer(value: number | bigint): number | bigint {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : integer(BigInt(value))
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

/** The integer that `json` is; undefined when it is none, or none of 64 bits. */
export function integerOf(json: Json | undefined): number | bigint | undefined {
  if (typeof json === 'number') {
    if (Number.isSafeInteger(json)) return json + 0
    if (!Number.isInteger(json)) return undefined
    json = BigInt(json)
  }
  if (typeof json !== 'bigint' || json < INT64_MIN || json > INT64_MAX) return undefined
  return integer(json)
}

/** The value with the members of every object in the order of their names. */
export function sorted(json: Json): Json {
  if (isArray(json)) return json.map(sorted)
  if (!isJsonObject(json)) return json
  const names = Object.keys(json).sort()
  return Object.fromEntries(names.map((name) => [name, sorted(json[name])]))
}

/** The text of a value, the same for all that are equal. */
export function canonicalText(json: Json): string {
  return formatJson(sorted(json))
}
