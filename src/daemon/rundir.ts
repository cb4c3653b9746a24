import { accessSync, constants, existsSync, mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { FileLock } from '../../engine/sys/file-lock.ts'
import { EXIT_ALREADY_RUNNING, EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'

export const PID_FILE = 'vswitchd-ts.pid'

/** The run directory, held by this process alone until it is released. */
export class RunDirectory {
  readonly path: string
  readonly #lock: FileLock
  /** Made by us, and to be removed when nothing is left in it. */
  readonly #made: boolean

  private constructor(path: string, lock: FileLock, made: boolean) {
    this.path = path
    this.#lock = lock
    this.#made = made
  }

  /** @throws CliError when it cannot be written, or another switch holds it */
  static acquire(path: string): RunDirectory {
    let made = false
    try {
      made = !existsSync(path)
      mkdirSync(path, { recursive: true, mode: 0o750 })
      accessSync(path, constants.W_OK)
    } catch (error) {
      throw unusable(path, error)
    }
    const pidFile = join(path, PID_FILE)
    let lock: FileLock | undefined
    try {
      lock = FileLock.acquire(pidFile)
    } catch (error) {
      throw unusable(path, error)
    }
    if (lock === undefined) {
      const pid = FileLock.contents(pidFile)?.trim()
      throw new CliError(
        `A switch is already running in ${path}${pid === undefined ? '' : `, process ${pid}`}.`,
        {
          code: EXIT_ALREADY_RUNNING,
          hint: 'Stop it with `vswitchd-ts stop`, or give this one a run directory of its own with --rundir.',
        },
      )
    }
    try {
      lock.write(`${process.pid}\n`)
    } catch (error) {
      lock.release()
      throw unusable(path, error)
    }
    return new RunDirectory(path, lock, made)
  }

  /** Idempotent. */
  release(): void {
    this.#lock.release()
    if (!this.#made) return
    try {
      rmdirSync(this.path)
    } catch {
      // Leases or a log are kept in it.
    }
  }
}

function unusable(path: string, error: unknown): CliError {
  return new CliError(`The run directory ${path} cannot be used: ${(error as Error).message}.`, {
    code: EXIT_ENVIRONMENT,
    hint: 'Name another with --rundir DIR.',
    cause: error,
  })
}
