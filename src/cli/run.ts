import { CommanderError } from 'commander'
import type { DaemonModule } from '../daemon/types.ts'
import { EXIT_OK, EXIT_USAGE } from './exit-codes.ts'
import { createProgram } from './program.ts'
import { reportError } from './report-error.ts'

/**
 * Runs one command line and answers its exit code.
 * @param args the words behind the name of the program
 */
export async function run(
  args: readonly string[],
  version: string,
  daemon: () => Promise<DaemonModule>,
): Promise<number> {
  try {
    await createProgram(version, daemon, args[0]).parseAsync(args, { from: 'user' })
    // `exec` sets the code of the command it ran.
    return typeof process.exitCode === 'number' ? process.exitCode : EXIT_OK
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE
    return reportError(error)
  }
}
