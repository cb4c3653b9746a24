/** Atoms from and to JSON: <atom> of RFC 7047 §5.1, checked against the constraints of its type. */

import { type Atom, type AtomicType, atomText, compareAtoms } from './atom.ts'
import type { BaseType } from './base-type.ts'
import { constraintViolation, syntaxError } from './error.ts'
import type { Json } from './json-text.ts'
import { integerOf, isArray } from './json-value.ts'
import { isId } from './members.ts'
import { parseUuid, type Uuid } from './uuid.ts'

/** The UUIDs that a transaction gives to the names of its "uuid-name" members, those still to come included. */
export interface NamedUuids {
  uuidOf(name: string): Uuid
}

/** Where `names` is undefined, ["named-uuid", …] is a syntax error. */
export function parseAtom(json: Json, base: BaseType, names?: NamedUuids): Atom {
  const atom = parseUnconstrained(json, base.type, names)
  checkAtom(atom, base)
  return atom
}

function parseUnconstrained(json: Json, type: AtomicType, names: NamedUuids | undefined): Atom {
  switch (type) {
    case 'integer': {
      const value = integerOf(json)
      if (value !== undefined) return value
      break
    }
    case 'real':
      // Zero has one sign, so that atoms are equal when they are ===.
      if (typeof json === 'number' || typeof json === 'bigint') return Number(json) + 0
      break
    case 'uuid':
      return parseUuidAtom(json, names)
    case 'boolean':
      if (typeof json === 'boolean') return json
      break
    case 'string':
      if (typeof json === 'string') return json
      break
  }
  throw syntaxError(json, `expected ${type}`)
}

function parseUuidAtom(json: Json, names: NamedUuids | undefined): Uuid {
  if (isArray(json) && json.length === 2 && typeof json[1] === 'string') {
    const text = json[1]
    if (json[0] === 'uuid') {
      const uuid = parseUuid(text)
      if (uuid === undefined) throw syntaxError(json, `"${text}" is not a valid UUID`)
      return uuid
    }
    if (json[0] === 'named-uuid' && names !== undefined) {
      if (!isId(text)) throw syntaxError(json, 'named-uuid string is not a valid <id>')
      return names.uuidOf(text)
    }
  }
  throw syntaxError(json, 'expected ["uuid", <string>]')
}

export function atomToJson(atom: Atom, type: AtomicType): Json {
  return type === 'uuid' ? ['uuid', atom] : atom
}

/** Throws a constraint violation; references are checked when the transaction commits, not here. */
export function checkAtom(atom: Atom, base: BaseType): void {
  if (base.enum !== undefined && !base.enum.includes(atom)) {
    const allowed = base.enum.map((a) => atomText(a, base.type))
    const set = allowed.length === 1 ? allowed[0] : `[${allowed.join(', ')}]`
    throw constraintViolation(`${atomText(atom, base.type)} is not one of the allowed values (${set})`)
  }
  if (base.type === 'integer') checkRange(atom, base.minInteger, base.maxInteger, base.type)
  else if (base.type === 'real') checkRange(atom, base.minReal, base.maxReal, base.type)
  else if (base.type === 'string') checkLength(atom as string, base)
}

function checkRange(atom: Atom, min: Atom | undefined, max: Atom | undefined, type: AtomicType): void {
  const tooSmall = min !== undefined && compareAtoms(atom, min) < 0
  const tooLarge = max !== undefined && compareAtoms(atom, max) > 0
  if (!tooSmall && !tooLarge) return
  const text = (a: Atom) => atomText(a, type)
  if (min === undefined) {
    throw constraintViolation(`${text(atom)} is greater than maximum allowed value ${text(max!)}`)
  }
  throw constraintViolation(
    max === undefined
      ? `${text(atom)} is less than minimum allowed value ${text(min)}`
      : `${text(atom)} is not in the valid range ${text(min)} to ${text(max)} (inclusive)`,
  )
}

function checkLength(text: string, { minLength = 0, maxLength }: BaseType): void {
  if (minLength === 0 && (maxLength === undefined || text.length <= maxLength)) return
  const length = characters(text)
  if (length < minLength) {
    throw constraintViolation(`"${text}" length ${length} is less than minimum allowed length ${minLength}`)
  }
  if (maxLength !== undefined && length > maxLength) {
    throw constraintViolation(
      `"${text}" length ${length} is greater than maximum allowed length ${maxLength}`,
    )
  }
}

/** Two surrogates are one character. */
function characters(text: string): number {
  let n = 0
  for (const _ of text) n++
  return n
}
