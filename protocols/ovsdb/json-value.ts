/**
 * JSON as OVSDB sees it: an integer is a 64-bit integer, kept as a number while that is exact and as a bigint
 * beyond. A number without a fraction is an integer however it was written (1.0, 1e3), as in Open vSwitch.
 */

export type Json = null | boolean | number | bigint | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [member: string]: Json
}

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

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
    if (Number.isSafeInteger(json)) return json === 0 ? 0 : json
    if (!Number.isInteger(json)) return undefined
    json = BigInt(json)
  }
  if (typeof json !== 'bigint' || json < INT64_MIN || json > INT64_MAX) return undefined
  return integer(json)
}

/** JSON text, bigints as the integers they are; with `sorted` the members of every object by their names. */
export function jsonText(json: Json, sorted = false): string {
  if (!sorted) {
    try {
      return JSON.stringify(json)
    } catch (error) {
      // A bigint, which JSON.stringify does not know; nothing else in a Json can make it throw.
      if (!(error instanceof TypeError)) throw error
    }
  }
  return textOf(json, sorted)
}

function textOf(json: Json, sorted: boolean): string {
  if (typeof json === 'bigint') return json.toString()
  if (typeof json !== 'object' || json === null) return JSON.stringify(json)
  if (isArray(json)) return `[${json.map((element) => textOf(element, sorted)).join(',')}]`
  const names = Object.keys(json)
  if (sorted) names.sort()
  return `{${names.map((name) => `${JSON.stringify(name)}:${textOf(json[name], sorted)}`).join(',')}}`
}
