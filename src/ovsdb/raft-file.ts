/**
 * The file of one server of a cluster: a header, behind it records as they come, until a snapshot takes the place of
 * all of them. What others may hear of only when it is on the medium is for `sync` to tell.
 */

import { closeSync, fdatasync, fdatasyncSync } from 'node:fs'
import { elapsed } from '../../engine/sys/clock.ts'
import { formatJson, type JsonObject } from '../../protocols/ovsdb/json-text.ts'
import { frameText, hasRecordAfter, LogRecordError, readRecord } from '../../protocols/ovsdb/log-record.ts'
import {
  headerJson,
  parseHeader,
  parseRecord,
  type RaftHeader,
  type RaftRecord,
  recordJson,
} from '../../protocols/raft/record.ts'
import { errorText } from '../process/error-text.ts'
import { CODEC } from './database-reader.ts'
import { FileBeside, ioError, writeAll } from './file-beside.ts'
import { FileBytes } from './file-bytes.ts'
import type { LockFile } from './lock-file.ts'
import { openLocked } from './locked-file.ts'

/** Below this it is not worth a snapshot (as ovsdb-server has it). */
const SNAPSHOT_LENGTH = 10 * 2 ** 20
/** Ms that a flush takes at most of a disk that is waited for. */
const QUICK_FLUSH = 1

export interface OpenedRaftFile {
  readonly file: RaftFile
  readonly header: RaftHeader
  readonly records: readonly RaftRecord[]
}

export class RaftFile {
  readonly name: string
  readonly #path: string
  readonly #lock: LockFile
  #fd: number
  #length: number
  /** The length of the header. */
  #base: number
  #flushing: Promise<void> | undefined
  #quick = false
  #closed = false

  private constructor(name: string, path: string, lock: LockFile, fd: number, base: number, length: number) {
    this.name = name
    this.#path = path
    this.#lock = lock
    this.#fd = fd
    this.#base = base
    this.#length = length
  }

  /**
   * Opens and locks it. What a crash has torn off its end is cut away.
   * @param warn told of that
   * @throws OvsdbError, also when it is damaged in its middle
   */
  static open(name: string, warn: (text: string) => void): OpenedRaftFile {
    const { path, lock, fd, contents } = openLocked(name, (path) => read(path, name), warn)
    const { header, records, base, length } = contents
    return { file: new RaftFile(name, path, lock, fd, base, length), header, records }
  }

  /** Whether it has grown so much that a snapshot is worth its while. */
  get grewLots(): boolean {
    return this.#length > SNAPSHOT_LENGTH && this.#length / 2 > this.#base
  }

  /** Writes a record, so that it outlives this process. @throws OvsdbError */
  append(record: RaftRecord): void {
    const bytes = framed(recordJson(record))
    try {
      writeAll(this.#fd, bytes, this.#length)
    } catch (error) {
      throw ioError(`${this.name}: write failed (${errorText(error)})`)
    }
    this.#length += bytes.length
  }

  /** Writes the file anew, durably. @throws OvsdbError; then it is as it was */
  replace(header: RaftHeader, records: readonly RaftRecord[]): void {
    const beside = new FileBeside(this.#path, this.name)
    beside.write(framed(headerJson(header)))
    const base = beside.length
    for (const record of records) beside.write(framed(recordJson(record)))
    beside.replace()
    if (!beside.named) throw ioError(`${this.name}: the directory could not be flushed`)
    // Whoever flushes the old file closes it.
    if (this.#flushing === undefined) closeSync(this.#fd)
    this.#fd = beside.fd
    this.#base = base
    this.#length = beside.length
  }

  /**
   * Resolves when all that was appended is on the medium. Not to be called again before. Rejects with an OvsdbError
   * when that cannot be known.
   */
  async sync(): Promise<void> {
    // Records of this turn of the event loop share a flush.
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#closed) return
    this.#flushing = this.#flush()
    await this.#flushing.finally(() => {
      this.#flushing = undefined
    })
  }

  async #flush(): Promise<void> {
    const fd = this.#fd
    const began = elapsed()
    try {
      if (this.#quick) fdatasyncSync(fd)
      else {
        await new Promise<void>((resolve, reject) => {
          fdatasync(fd, (error) => (error === null ? resolve() : reject(error)))
        })
      }
    } catch (error) {
      // What has taken its place was flushed before it did.
      if (fd === this.#fd) throw ioError(`${this.name}: fsync failed (${errorText(error)})`)
    } finally {
      if (fd !== this.#fd) closeSync(fd)
    }
    this.#quick = elapsed() - began < QUICK_FLUSH
  }

  /** Makes everything durable, as far as the medium allows. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#flushing?.catch(() => {})
    try {
      fdatasyncSync(this.#fd)
    } catch {
      // Nobody was told that it was.
    }
    closeSync(this.#fd)
    this.#lock.release()
  }
}

function framed(json: JsonObject): Uint8Array {
  return frameText(formatJson(json), CODEC, 'CLUSTER')
}

function read(path: string, name: string) {
  const file = new FileBytes(path, name)
  try {
    const first = readRecord(file, 0, name, CODEC, 'CLUSTER')
    const header = parseHeader(first.json)
    const records: RaftRecord[] = []
    const base = first.end
    let length = base
    try {
      while (length < file.length) {
        const { json, end } = readRecord(file, length, name, CODEC, 'CLUSTER')
        records.push(parseRecord(json))
        length = end
      }
    } catch (error) {
      if (!(error instanceof LogRecordError) || hasRecordAfter(file, length, name, CODEC, 'CLUSTER'))
        throw error
      return { header, records, base, length, torn: error.message }
    }
    return { header, records, base, length, torn: undefined }
  } finally {
    file.close()
  }
}
