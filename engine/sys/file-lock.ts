/**
 * A lock that dies with its process, flock(2): the daemon holds it on its pid file, so that a second daemon in
 * the same run directory finds out reliably, and a file left over by kill -9 hinders nobody. Not inherited by
 * programs the daemon starts.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { EAGAIN, errno, flock, ftruncate, SystemError } from './libc.ts'

const LOCK_EX_NB = 2 | 4
// Not one of Node's constants; the same on every Linux the switch runs on.
const O_CLOEXEC = 0o2000000

export class FileLock {
  readonly path: string
  #fd: number

  private constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  /**
   * Creates the file if need be and locks it; undefined when another process holds it.
   * @throws the file system's own error, or SystemError, when it cannot be tried
   */
  static acquire(path: string): FileLock | undefined {
    for (;;) {
      const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | O_CLOEXEC, 0o644)
      if (flock(fd, LOCK_EX_NB) < 0) {
        const code = errno()
        closeSync(fd)
        if (code === EAGAIN) return undefined
        throw new SystemError('flock', path, code)
      }
      // The holder before us may have removed the file between our open and our lock: then we hold nothing
      // that others can see.
      if (sameFile(path, fd)) return new FileLock(path, fd)
      closeSync(fd)
    }
  }

  /** Whether some process holds the lock, without taking it. A file that does not exist is not held. */
  static isHeld(path: string): boolean {
    let fd: number
    try {
      fd = openSync(path, constants.O_RDONLY | O_CLOEXEC)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
    const held = flock(fd, LOCK_EX_NB) < 0 && errno() === EAGAIN
    closeSync(fd)
    return held
  }

  /** What the holder wrote, such as its pid; undefined when there is no file. */
  static contents(path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Replaces the file's contents. */
  write(text: string): void {
    ftruncate(this.#fd, 0)
    writeSync(this.#fd, text, 0)
  }

  /** Removes the file and gives the lock up. Idempotent. */
  release(): void {
    if (this.#fd < 0) return
    // Removed while it is still locked, so that nobody locks a file that is about to vanish.
    if (sameFile(this.path, this.#fd)) unlinkSync(this.path)
    closeSync(this.#fd)
    this.#fd = -1
  }
}

function sameFile(path: string, fd: number): boolean {
  const there = statSync(path, { throwIfNoEntry: false })
  const ours = fstatSync(fd)
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev
}
