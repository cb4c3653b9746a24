import { EXIT_FAILURE } from './cli/exit-codes.ts'

/**
 * What went wrong in one sentence for the person at the terminal, with a line on what to do about it and the
 * exit code of the program (see cli/exit-codes.ts). Anything else that is thrown is a bug.
 */
export class CliError extends Error {
  readonly code: number
  readonly hint: string | undefined

  constructor(message: string, options: { code?: number; hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CliError'
    this.code = options.code ?? EXIT_FAILURE
    this.hint = options.hint
  }
}
