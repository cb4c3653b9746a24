import { type OvsdbError, syntaxError } from './error.ts'
import { isJsonObject, type Json, type JsonObject } from './json-text.ts'
import { hasMember, integerOf, isArray } from './json-value.ts'

const ID = /^[A-Za-z_][A-Za-z_0-9]*$/

/** An <id> of RFC 7047 §3.1. */
export function isId(text: string): boolean {
  return ID.test(text)
}

interface Kinds {
  string: string
  id: string
  integer: number | bigint
  number: number | bigint
  boolean: boolean
  array: readonly Json[]
  object: JsonObject
  type: string | JsonObject
  any: Json
}

const IS: { readonly [K in keyof Kinds]: (json: Json) => boolean } = {
  string: (json) => typeof json === 'string',
  id: (json) => typeof json === 'string' && isId(json),
  integer: (json) => integerOf(json) !== undefined,
  number: (json) => typeof json === 'number' || typeof json === 'bigint',
  boolean: (json) => typeof json === 'boolean',
  array: isArray,
  object: isJsonObject,
  type: (json) => typeof json === 'string' || isJsonObject(json),
  any: () => true,
}

/**
 * Reads the members of one JSON object strictly: a member that is missing, of the wrong kind or left over is a
 * syntax error, and the first of them is the one that is told.
 */
export class Members {
  readonly json: Json
  readonly #what: string
  readonly #object: JsonObject
  readonly #used: string[] = []

  /** `what` completes "Parsing … failed". */
  constructor(json: Json, what: string) {
    this.json = json
    this.#what = what
    if (!isJsonObject(json)) throw syntaxError(undefined, `Parsing ${what} failed: Object expected.`)
    this.#object = json
  }

  required<K extends keyof Kinds>(name: string, kind: K): Kinds[K] {
    const value = this.optional(name, kind)
    if (value === undefined) throw this.error(`Required '${name}' member is missing.`)
    return value
  }

  optional<K extends keyof Kinds>(name: string, kind: K): Kinds[K] | undefined {
    if (!hasMember(this.#object, name)) return undefined
    const value = this.#object[name]
    if (!IS[kind](value)) throw this.error(`Type mismatch for member '${name}'.`)
    this.#used.push(name)
    return (kind === 'integer' ? integerOf(value) : value) as Kinds[K]
  }

  /** To be called when all that is understood was read. */
  finish(): void {
    const names = Object.keys(this.#object)
    if (names.length === this.#used.length) return
    const unused = names.filter((name) => !this.#used.includes(name))
    const others = unused.length - 1
    if (others < 0) return
    throw this.error(
      others === 0
        ? `Member '${unused[0]}' is present but not allowed here.`
        : `Member '${unused[0]}' and ${others} other member${others > 1 ? 's' : ''} are present but not allowed here.`,
    )
  }

  error(details: string): OvsdbError {
    return syntaxError(this.json, `Parsing ${this.#what} failed: ${details}`)
  }
}
