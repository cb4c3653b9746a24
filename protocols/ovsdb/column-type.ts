/** <type> of RFC 7047 §3.2: a scalar, a set or a map of atoms. */

import { type BaseType, baseTypeToJson, isStrongRef, isWeakRef, parseBaseType } from './base-type.ts'
import { syntaxError } from './error.ts'
import { isJsonObject, type Json } from './json-text.ts'
import { integerOf } from './json-value.ts'
import { Members } from './members.ts'

export interface ColumnType {
  readonly key: BaseType
  /** Present in a map. */
  readonly value?: BaseType
  /** The fewest elements or pairs, 0 or 1. */
  readonly min: number
  /** The most, 1 or more; Infinity for "unlimited". */
  readonly max: number
}

export const UUID_TYPE: ColumnType = { key: { type: 'uuid' }, min: 1, max: 1 }

export function isScalar(type: ColumnType): boolean {
  return type.min === 1 && type.max === 1 && type.value === undefined
}

/** Whether it may be absent and is at most one: what others call nullable. */
export function isOptionalScalar(type: ColumnType): boolean {
  return type.min === 0 && type.max === 1 && type.value === undefined
}

export function isMap(type: ColumnType): boolean {
  return type.value !== undefined
}

export function hasStrongRefs(type: ColumnType): boolean {
  return isStrongRef(type.key) || isStrongRef(type.value)
}

export function hasWeakRefs(type: ColumnType): boolean {
  return isWeakRef(type.key) || isWeakRef(type.value)
}

export function parseColumnType(json: Json): ColumnType {
  if (typeof json === 'string') return { key: parseBaseType(json), min: 1, max: 1 }
  if (!isJsonObject(json)) throw syntaxError(json, 'ovsdb type expected')
  const members = new Members(json, 'ovsdb type')
  const key = members.required('key', 'type')
  const value = members.optional('value', 'type')
  const min = members.optional('min', 'any')
  const max = members.optional('max', 'any')
  members.finish()
  const type: ColumnType = {
    key: parseBaseType(key),
    ...(value === undefined ? {} : { value: parseBaseType(value) }),
    min: min === undefined ? 1 : parseCount(min),
    max: max === undefined ? 1 : max === 'unlimited' ? Number.POSITIVE_INFINITY : parseCount(max),
  }
  if (type.min > 1 || type.max < 1) throw syntaxError(json, 'ovsdb type fails constraint checks')
  return type
}

function parseCount(json: Json): number {
  const n = integerOf(json)
  if (n === undefined || n < 0 || n >= 0xffffffff) throw syntaxError(json, 'bad min or max value')
  return Number(n)
}

export function columnTypeToJson(type: ColumnType): Json {
  const key = baseTypeToJson(type.key)
  if (isScalar(type) && typeof key === 'string') return key
  return {
    key,
    ...(type.value === undefined ? {} : { value: baseTypeToJson(type.value) }),
    ...(type.min === 1 ? {} : { min: type.min }),
    ...(type.max === 1 ? {} : { max: type.max === Number.POSITIVE_INFINITY ? 'unlimited' : type.max }),
  }
}

/** As errors name a type: "set of up to 3 strings". */
export function columnTypeText({ key, value, min, max }: ColumnType): string {
  if (min === 1 && max === 1 && value === undefined) return key.type
  const what = value === undefined ? `${key.type}s` : `(${key.type}, ${value.type}) pairs`
  const unlimited = max === Number.POSITIVE_INFINITY
  const count = unlimited ? (min ? ` ${min} or more` : '') : min ? ` ${min} to ${max}` : ` up to ${max}`
  return `${value === undefined ? 'set' : 'map'} of${count} ${what}`
}
