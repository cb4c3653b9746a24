import type { Json } from './json-text.ts'
import { canonicalText } from './json-value.ts'

/** An <error> of RFC 7047 §3.1: what a request, or an operation of a transaction, is answered with. */
export class OvsdbError extends Error {
  /** The "error" member: "constraint violation", "referential integrity violation", … */
  readonly tag: string
  readonly details: string | undefined
  /** The JSON that was wrong, as text. */
  readonly syntax: string | undefined

  constructor(tag: string, details?: string, syntax?: Json) {
    const text = syntax === undefined ? undefined : canonicalText(syntax)
    super(
      (text === undefined ? '' : `syntax "${text}": `) + tag + (details === undefined ? '' : `: ${details}`),
    )
    this.name = 'OvsdbError'
    this.tag = tag
    this.details = details
    this.syntax = text
  }

  toJson(): Json {
    return {
      error: this.tag,
      ...(this.details === undefined ? {} : { details: this.details }),
      ...(this.syntax === undefined ? {} : { syntax: this.syntax }),
    }
  }
}

export function syntaxError(syntax: Json | undefined, details: string): OvsdbError {
  return new OvsdbError('syntax error', details, syntax)
}

export function constraintViolation(details: string, syntax?: Json): OvsdbError {
  return new OvsdbError('constraint violation', details, syntax)
}
