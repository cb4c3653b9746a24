/**
 * The pid file of a daemon: locked for as long as it runs, so that `ovs-appctl` finds its control socket by it and
 * nobody takes a file that a dead one left for the truth.
 */
import {
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { lockRecord, recordHolder } from '../../engine/sys/record-lock.ts'
import { errorText } from './error-text.ts'

/** Why no pid file can be had, in one sentence. */
export class PidFileError extends Error {}

/** The process that holds a pid file, if any does. */
export function pidFileHolder(path: string): number | undefined {
  let fd: number
  try {
    fd = openSync(path, 'r+')
  } catch {
    return undefined
  }
  try {
    return recordHolder(fd)
  } finally {
    closeSync(fd)
  }
}

export class PidFile {
  readonly path: string
  #fd: number

  private constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  /**
   * Writes this process's number and holds the file.
   * @param overwrite also when another process holds one of that name
   * @throws PidFileError
   */
  static acquire(path: string, overwrite: boolean): PidFile {
    const holder = overwrite ? undefined : pidFileHolder(path)
    if (holder !== undefined) throw new PidFileError(`${path}: already running as pid ${holder}, aborting`)
    // Locked before it has its name: who opens it there finds it held.
    const made = `${path}.tmp${process.pid}`
    let fd: number
    try {
      fd = openSync(made, 'w', 0o644)
    } catch (error) {
      throw new PidFileError(`${made}: create failed (${errorText(error)})`)
    }
    try {
      if (!lockRecord(fd)) throw new PidFileError(`${made}: fcntl(F_SETLK) failed`)
      writeSync(fd, `${process.pid}\n`)
      renameSync(made, path)
    } catch (error) {
      closeSync(fd)
      throw error instanceof PidFileError ? error : new PidFileError(`${path}: ${errorText(error)}`)
    }
    return new PidFile(path, fd)
  }

  /** Removes it, unless it is another's by now. Idempotent. */
  release(): void {
    if (this.#fd < 0) return
    const there = statSync(this.path, { throwIfNoEntry: false })
    const ours = fstatSync(this.#fd)
    if (there?.ino === ours.ino && there.dev === ours.dev) unlinkSync(this.path)
    closeSync(this.#fd)
    this.#fd = -1
  }
}

/** The number that stands in a pid file of another process. */
export function readPidFile(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    return Number.isInteger(pid) ? pid : undefined
  } catch {
    return undefined
  }
}
