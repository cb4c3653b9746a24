import { CliError } from '../errors.ts'
import { EXIT_FAILURE } from './exit-codes.ts'
import { errorColors } from './output.ts'

/** The words of an error for the person at the terminal: one sentence and, where there is one, a hint. */
export function errorText(error: unknown): string {
  const colors = errorColors
  if (error instanceof CliError) {
    const hint = error.hint === undefined ? '' : `\n${colors.dim('hint:')} ${error.hint}`
    return `${colors.red('error:')} ${error.message}${hint}`
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `${colors.red('error:')} This is a mistake in vswitchd-ts itself. ${text}`
}

/** Prints an error and answers the exit code of the program. */
export function reportError(error: unknown): number {
  process.stderr.write(`${errorText(error)}\n`)
  return error instanceof CliError ? error.code : EXIT_FAILURE
}
