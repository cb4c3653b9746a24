/** <base-type> of RFC 7047 §3.2: an atomic type with its constraints. */

import { ATOMIC_TYPES, type Atom, type AtomicType, compareAtoms } from './atom.ts'
import { atomToJson, parseAtom } from './atom-json.ts'
import { OvsdbError, syntaxError } from './error.ts'
import type { Json } from './json-text.ts'
import { isArray } from './json-value.ts'
import { Members } from './members.ts'

export interface BaseType {
  readonly type: AtomicType
  /** The values that are allowed, sorted. */
  readonly enum?: readonly Atom[]
  readonly minInteger?: number | bigint
  readonly maxInteger?: number | bigint
  readonly minReal?: number
  readonly maxReal?: number
  /** In characters. */
  readonly minLength?: number
  readonly maxLength?: number
  /** The table that a UUID refers to. */
  readonly refTable?: string
  /** Present with `refTable`. */
  readonly refType?: 'strong' | 'weak'
}

const UINT32_MAX = 0xffffffff

export function isStrongRef(base: BaseType | undefined): boolean {
  return base?.refTable !== undefined && base.refType === 'strong'
}

export function isWeakRef(base: BaseType | undefined): boolean {
  return base?.refTable !== undefined && base.refType === 'weak'
}

export function parseBaseType(json: Json): BaseType {
  if (typeof json === 'string') return { type: parseAtomicType(json) }
  const members = new Members(json, 'ovsdb type')
  const type = parseAtomicType(members.required('type', 'string'))
  const allowed = members.optional('enum', 'any')
  const base = allowed === undefined ? constraints(type, members) : { enum: parseEnum(allowed, type) }
  members.finish()
  return { type, ...base }
}

function parseAtomicType(name: string): AtomicType {
  const type = ATOMIC_TYPES.find((known) => known === name)
  if (type === undefined) throw syntaxError(name, `"${name}" is not an atomic-type`)
  return type
}

/** An atom or a set of at least one. */
function parseEnum(json: Json, type: AtomicType): readonly Atom[] {
  const elements =
    isArray(json) && json[0] === 'set' && isArray(json[1]) && json.length === 2 ? json[1] : [json]
  if (elements.length === 0) {
    throw syntaxError(json, `set must have 1 to ${UINT32_MAX} members but 0 are present`)
  }
  const atoms = elements.map((element) => parseAtom(element, { type })).sort(compareAtoms)
  if (atoms.some((atom, i) => i > 0 && atom === atoms[i - 1])) {
    throw new OvsdbError('ovsdb error', 'set contains duplicate')
  }
  return atoms
}

function constraints(type: AtomicType, members: Members): Omit<BaseType, 'type'> {
  switch (type) {
    case 'integer':
      return range(members, 'minInteger', 'maxInteger', 'integer')
    case 'real':
      return realRange(members)
    case 'string':
      return lengths(members)
    case 'uuid':
      return reference(members)
    case 'boolean':
      return {}
  }
}

function range<K extends 'integer' | 'number'>(members: Members, minName: string, maxName: string, kind: K) {
  const min = members.optional(minName, kind)
  const max = members.optional(maxName, kind)
  if (min !== undefined && max !== undefined && min > max) {
    throw syntaxError(members.json, `${minName} exceeds ${maxName}`)
  }
  return {
    ...(min === undefined ? {} : { [minName]: min }),
    ...(max === undefined ? {} : { [maxName]: max }),
  }
}

function realRange(members: Members): Omit<BaseType, 'type'> {
  const { minReal, maxReal } = range(members, 'minReal', 'maxReal', 'number') as {
    minReal?: number | bigint
    maxReal?: number | bigint
  }
  return {
    ...(minReal === undefined ? {} : { minReal: Number(minReal) }),
    ...(maxReal === undefined ? {} : { maxReal: Number(maxReal) }),
  }
}

function lengths(members: Members): Omit<BaseType, 'type'> {
  const length = (name: string) => {
    const value = members.optional(name, 'integer')
    if (value !== undefined && (value < 0 || value > UINT32_MAX)) {
      throw syntaxError(members.json, `${name} out of valid range 0 to ${UINT32_MAX}`)
    }
    return value === undefined ? undefined : Number(value)
  }
  const minLength = length('minLength')
  const maxLength = length('maxLength')
  if (minLength !== undefined && maxLength !== undefined && minLength > maxLength) {
    throw syntaxError(members.json, 'minLength exceeds maxLength')
  }
  return { ...(minLength ? { minLength } : {}), ...(maxLength === undefined ? {} : { maxLength }) }
}

function reference(members: Members): Omit<BaseType, 'type'> {
  const refTable = members.optional('refTable', 'id')
  if (refTable === undefined) return {}
  const refType = members.optional('refType', 'id') ?? 'strong'
  if (refType !== 'strong' && refType !== 'weak') {
    throw syntaxError(members.json, `refType must be "strong" or "weak" (not "${refType}")`)
  }
  return { refTable, refType }
}

export function baseTypeToJson(base: BaseType): Json {
  const { type, enum: allowed, refType, ...rest } = base
  if (Object.keys(base).length === 1) return type
  return {
    type,
    ...(allowed === undefined ? {} : { enum: enumToJson(allowed, type) }),
    ...rest,
    ...(refType === 'weak' ? { refType } : {}),
  }
}

function enumToJson(allowed: readonly Atom[], type: AtomicType): Json {
  const elements = allowed.map((atom) => atomToJson(atom, type))
  return elements.length === 1 ? elements[0] : ['set', elements]
}
