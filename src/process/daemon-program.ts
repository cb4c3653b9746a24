/** What a daemon is for, as far as its frame (run-daemon.ts) has to know. */
import type { CommandRegistry } from '../unixctl/command-registry.ts'
import type { Directories } from './directories.ts'
import type { GivenOption, OptionSpec } from './getopt.ts'
import type { Vlog } from './vlog.ts'

export interface DaemonContext {
  readonly options: readonly GivenOption[]
  readonly arguments: readonly string[]
  readonly directories: Directories
  readonly vlog: Vlog
  /** To add commands to; the control socket is there when `start` has resolved. */
  readonly commands: CommandRegistry
  /** Ends the daemon, with an exit code. */
  end(code: number): void
}

export interface Service {
  /** Resolves when whoever started the daemon in the background may go on; rejects with the reason why not. */
  readonly ready: Promise<void>
  /** @param how.cleanup also what would otherwise outlive the daemon (`exit --cleanup`) */
  close(how: { readonly cleanup: boolean }): Promise<void>
}

export interface DaemonProgram {
  readonly name: string
  /** Beside those of all daemons (daemon-options.ts). */
  readonly options: readonly OptionSpec[]
  readonly maxArguments: number
  /** Whether `exit` takes `--cleanup`. */
  readonly cleansUp: boolean
  /** The first part of what `--help` says, with a line's end. */
  help(directories: Directories): string
  /** The last part: options of its own. */
  ownHelp(directories: Directories): string
  /** What it throws is the reason, in one sentence, that the person is told. */
  start(context: DaemonContext): Promise<Service>
}
