/** Writing files so that a crash leaves the old one or the new one, whole. */

import {
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import { errorText } from '../process/error-text.ts'

/** A file that is to take the place of another in one step. When anything goes wrong it is removed. */
export class FileBeside {
  readonly fd: number
  length = 0
  readonly #path: string
  readonly #temporary: string
  readonly #name: string
  #named = false

  /** @param name of the other, for people. @throws OvsdbError */
  constructor(path: string, name: string) {
    this.#path = path
    this.#temporary = `${path}.tmp`
    this.#name = name
    this.fd = this.#try(() => {
      rmSync(this.#temporary, { force: true })
      return openSync(this.#temporary, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o640)
    })
  }

  write(bytes: Uint8Array): void {
    this.#try(() => writeAll(this.fd, bytes, this.length))
    this.length += bytes.length
  }

  /** Resolves when what was written is on the medium. */
  synced(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.fd, (error) => {
        if (error === null) resolve()
        else reject(this.#failure(error))
      })
    })
  }

  /** Takes the place, durably but for what `named` says. */
  replace(): void {
    this.#try(() => {
      fdatasyncSync(this.fd)
      renameSync(this.#temporary, this.#path)
    })
    try {
      syncDirectory(this.#path)
      this.#named = true
    } catch {
      // It has the name, and may lose it with the power.
    }
  }

  /** Whether its name is durable. */
  get named(): boolean {
    return this.#named
  }

  /** Removes it. */
  abandon(): void {
    closeSync(this.fd)
    rmSync(this.#temporary, { force: true })
  }

  #try<T>(act: () => T): T {
    try {
      return act()
    } catch (error) {
      throw this.#failure(error)
    }
  }

  #failure(error: unknown): OvsdbError {
    if (this.fd !== undefined) this.abandon()
    return ioError(`${this.#name}: compaction failed (${errorText(error)})`)
  }
}

export function ioError(details: string): OvsdbError {
  return new OvsdbError('I/O error', details)
}

export function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  let at = 0
  while (at < bytes.length) at += writeSync(fd, bytes, at, bytes.length - at, position + at)
}

/** A file's name is durable only when its directory is. */
export function syncDirectory(path: string): void {
  const fd = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
