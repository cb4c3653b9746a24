import { closeSync, constants, ftruncateSync, openSync } from 'node:fs'
import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import { errorText } from '../process/error-text.ts'
import { ioError } from './file-beside.ts'
import { followLinks, LockFile } from './lock-file.ts'

/** What stands in a file that is a log. */
export interface LogContents {
  /** Bytes that are whole records. */
  readonly length: number
  /** Why the file ends there, if it does not end with its last record: what is behind was torn by a crash. */
  readonly torn: string | undefined
}

export interface LockedFile<T> {
  readonly path: string
  readonly lock: LockFile
  /** To read and write. */
  readonly fd: number
  readonly contents: T
}

/** @throws OvsdbError */
export function acquireLock(name: string, path: string): LockFile {
  try {
    return LockFile.acquire(path)
  } catch (error) {
    throw ioError(`${name}: failed to lock lockfile (${errorText(error)})`)
  }
}

/**
 * Locks and opens a log to go on with. What a crash has torn off its end is cut away.
 * @param warn told of that
 * @throws OvsdbError, and whatever `read` throws of that kind
 */
export function openLocked<T extends LogContents>(
  name: string,
  read: (path: string) => T,
  warn: (text: string) => void,
): LockedFile<T> {
  const path = followLinks(name)
  const lock = acquireLock(name, path)
  let fd = -1
  try {
    const contents = read(path)
    fd = openSync(path, constants.O_RDWR)
    if (contents.torn !== undefined) {
      warn(contents.torn)
      ftruncateSync(fd, contents.length)
    }
    return { path, lock, fd, contents }
  } catch (error) {
    if (fd >= 0) closeSync(fd)
    lock.release()
    if (error instanceof OvsdbError) throw error
    throw ioError(`${name}: open failed (${errorText(error)})`)
  }
}
