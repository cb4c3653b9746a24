/**
 * A start in the background, in a session of its own. `bin/vswitchd-ts` waits until it is told by a pipe what to exit
 * with: 0 once the network is up. Until then this one speaks to the person, from then on to its log.
 */
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { leaveSession, redirect } from '../../engine/sys/descriptors.ts'
import { LOG_FILE } from '../daemon/types.ts'
import { CliError } from '../errors.ts'
import { EXIT_ENVIRONMENT, EXIT_USAGE } from './exit-codes.ts'
import type { Parent } from './parent.ts'

const STDOUT = 1
const STDERR = 2

export class Background {
  readonly log: string
  readonly #parent: Parent
  readonly #fd: number
  /** Takes away what was made for the log. */
  readonly discard: () => void

  /** @throws CliError when the log cannot be written, or nobody waits */
  constructor(rundir: string, parent: Parent | undefined) {
    if (parent === undefined) {
      throw new CliError('Only bin/vswitchd-ts starts it in the background.', { code: EXIT_USAGE })
    }
    this.#parent = parent
    leaveSession()
    this.log = join(rundir, LOG_FILE)
    const hadDirectory = existsSync(rundir)
    const hadLog = existsSync(this.log)
    try {
      mkdirSync(rundir, { recursive: true, mode: 0o700 })
      this.#fd = openSync(this.log, 'a', 0o600)
    } catch (error) {
      throw new CliError(`The log ${this.log} cannot be written: ${(error as Error).message}.`, {
        code: EXIT_ENVIRONMENT,
        hint: 'Run the command as root, or name a run directory of your own with --rundir.',
      })
    }
    this.discard = () => {
      if (!hadLog) rmSync(this.log, { force: true })
      if (!hadDirectory) rmdirSync(rundir)
    }
  }

  /** Not by way of `process.stdout`, which would keep the terminal open. That nobody reads on stops no start. */
  print(text: string): void {
    try {
      writeSync(STDOUT, `${text}\n`)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    }
  }

  /** The network is up, and the person has been told. */
  leave(): void {
    for (const fd of [STDOUT, STDERR]) redirect(fd, this.#fd)
    closeSync(this.#fd)
    this.#parent.exit(0)
  }
}
