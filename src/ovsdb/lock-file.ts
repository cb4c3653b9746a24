/** The lock that whoever writes a database file holds, in the way of Open vSwitch: on `.NAME.~lock~` beside it. */

import { closeSync, openSync, readlinkSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { lockRecord, recordHolder } from '../../engine/sys/record-lock.ts'

/** What the kernel does not tell: such a lock is no obstacle to its own process. */
const held = new Set<string>()

/** Where symbolic links lead, also to a file that does not exist yet. */
export function followLinks(path: string): string {
  let followed = resolve(path)
  // As many as the kernel would follow.
  for (let i = 0; i < 40; i++) {
    try {
      followed = resolve(dirname(followed), readlinkSync(followed))
    } catch {
      break
    }
  }
  return followed
}

export class LockFile {
  readonly path: string
  #fd: number

  private constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
  }

  /** @throws the reason, or the file system's own error */
  static acquire(file: string): LockFile {
    const target = followLinks(file)
    const path = join(dirname(target), `.${basename(target)}.~lock~`)
    // To open and close it once more would give it up.
    if (held.has(path))
      throw new Error(`${path}: cannot lock file because this process has already locked it`)
    const fd = openSync(path, 'a', 0o600)
    if (!lockRecord(fd)) {
      const holder = recordHolder(fd)
      closeSync(fd)
      throw new Error(`${path}: cannot lock file because it is already locked by pid ${holder ?? 'unknown'}`)
    }
    held.add(path)
    return new LockFile(path, fd)
  }

  /** The file stays, as with Open vSwitch: who waits for it may have opened it. Idempotent. */
  release(): void {
    if (this.#fd < 0) return
    closeSync(this.#fd)
    held.delete(this.path)
    this.#fd = -1
  }
}
