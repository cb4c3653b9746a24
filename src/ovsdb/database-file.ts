/**
 * A database on disk: a log of transactions that is written before anybody hears of them, and made durable before who
 * asked for that hears of it. Transactions of one turn of the event loop share a flush, and so do those that come while
 * the disk is busy. A disk that is quick is waited for, as another thread would only make its flush longer.
 *
 * A write that fails (disk full) is taken back and its transaction refused. After a failed flush nobody knows what the
 * medium holds, so the next transaction first writes the whole database anew. Compaction does that too: into a file
 * beside, in pieces between which the server goes on, and then in one step in place of the old file.
 */

import { closeSync, constants, fdatasync, fdatasyncSync, fsyncSync, ftruncateSync, openSync } from 'node:fs'
import { elapsed, now } from '../../engine/sys/clock.ts'
import type { Database } from '../../protocols/ovsdb/database.ts'
import { formatRecord, frameRecord, frameText } from '../../protocols/ovsdb/log-record.ts'
import { databaseRecord, transactionRecord } from '../../protocols/ovsdb/log-transaction.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'
import { type DatabaseSchema, schemaToJson } from '../../protocols/ovsdb/schema.ts'
import type { Uuid } from '../../protocols/ovsdb/uuid.ts'
import { errorText } from '../process/error-text.ts'
import type { DatabaseLog } from './database-log.ts'
import { CODEC, readDatabase } from './database-reader.ts'
import { FileBeside, ioError, syncDirectory, writeAll } from './file-beside.ts'
import { followLinks, type LockFile } from './lock-file.ts'
import { acquireLock, openLocked } from './locked-file.ts'

const COMPACTION_COMMENT = 'compacting database online'
/** Characters of a database that are composed at a time. */
const PIECE_LENGTH = 1 << 18

/** Below these it is not worth compacting (as ovsdb-server has it). */
const COMPACT_LENGTH = 10 * 2 ** 20
const COMPACT_RECORDS = 100

/** Ms that a flush takes at most of a disk that is waited for. */
const QUICK_FLUSH = 1

interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class DatabaseFile implements DatabaseLog {
  /** As it was given, for people. */
  readonly name: string
  /** Whether changed columns are written as differences, which servers before Open vSwitch 2.15 do not read. */
  columnDiff = true
  readonly #path: string
  readonly #lock: LockFile
  #fd: number
  #length: number
  #records: number
  /** The length when it was compacted or opened. */
  #base: number
  #waiting: Waiter[] = []
  #flushScheduled = false
  /** The file that is being flushed. */
  #flushing: number | undefined
  /** Whether the last flush was. */
  #quick = false
  /** Whether a flush has failed. */
  #broken = false
  /** While a compaction is under way: what was written since it began. */
  #since: Uint8Array[] | undefined
  #compaction: Promise<void> | undefined
  /** Counts how often the file was replaced by another. */
  #generation = 0
  #closed = false

  private constructor(
    name: string,
    path: string,
    lock: LockFile,
    fd: number,
    length: number,
    records: number,
  ) {
    this.name = name
    this.#path = path
    this.#lock = lock
    this.#fd = fd
    this.#length = length
    this.#records = records
    this.#base = length
  }

  /**
   * Opens a database and locks it. What a crash has torn off its end is cut away.
   * @param warn told of that
   * @throws OvsdbError
   */
  static open(
    name: string,
    newUuid: () => Uuid,
    warn: (text: string) => void,
  ): { readonly file: DatabaseFile; readonly database: Database } {
    const { path, lock, fd, contents } = openLocked(name, (path) => readDatabase(path, name, newUuid), warn)
    const { database, length, records } = contents
    return { file: new DatabaseFile(name, path, lock, fd, length, records), database }
  }

  /** Makes the file of an empty database, durably. @throws OvsdbError, also when it is there already */
  static create(name: string, schema: DatabaseSchema): void {
    const path = followLinks(name)
    const lock = acquireLock(name, path)
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o640)
      try {
        writeAll(fd, formatRecord(schemaToJson(schema), CODEC), 0)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      syncDirectory(path)
    } catch (error) {
      throw ioError(`${name}: create failed (${errorText(error)})`)
    } finally {
      lock.release()
    }
  }

  /** Bytes of the file. */
  get length(): number {
    return this.#length
  }

  /** Whether it has grown so much that it should be compacted, if that was not done a moment ago. */
  get grewLots(): boolean {
    return this.#records >= COMPACT_RECORDS && this.#length > COMPACT_LENGTH && this.#length / 2 > this.#base
  }

  /** Transactions since it was compacted. */
  get records(): number {
    return this.#records
  }

  /**
   * Writes a transaction, so that it outlives this process. @param database as it is with the changes
   * @throws OvsdbError; then it is as if the transaction had not been tried
   */
  append(database: Database, changes: readonly RowChange[], comment: string): void {
    if (this.#closed) throw ioError(`${this.name}: closed`)
    if (this.#broken) {
      this.replace(database, COMPACTION_COMMENT)
      return
    }
    const text = transactionRecord(database, changes, now(), comment, this.columnDiff)
    if (text === undefined) return
    const record = frameText(text, CODEC)
    try {
      writeAll(this.#fd, record, this.#length)
    } catch (error) {
      this.#takeBack()
      throw ioError(`${this.name}: write failed (${errorText(error)})`)
    }
    this.#length += record.length
    this.#records++
    this.#since?.push(record)
  }

  /** Resolves when all that was appended is on the medium; rejects with an OvsdbError when it cannot be known. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#scheduleFlush()
    })
  }

  /** Writes the whole file anew at once, durably; the database may have another schema. @throws OvsdbError */
  replace(database: Database, comment: string): void {
    const body = Buffer.from([...databaseRecord(database, now(), comment)].join(''))
    const beside = new FileBeside(this.#path, this.name)
    beside.write(formatRecord(schemaToJson(database.schema), CODEC))
    beside.write(frameRecord(body, CODEC))
    this.#replaceBy(beside)
  }

  /**
   * Writes the file anew, as short as it can be, while transactions go on; one that is under way is waited for
   * instead. Rejects with an OvsdbError; then the file is as it was. @param database as it is now
   */
  compact(database: Database): Promise<void> {
    this.#compaction ??= this.#compact(database).finally(() => {
      this.#compaction = undefined
      this.#since = undefined
    })
    return this.#compaction
  }

  /** Makes everything durable, as far as the medium allows. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    await this.#compaction?.catch(() => {})
    this.#closed = true
    await this.sync().catch(() => {})
    closeSync(this.#fd)
    this.#lock.release()
  }

  /** Who waits while a flush is running has a part in the next one. */
  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#flushing !== undefined || this.#waiting.length === 0) return
    this.#flushScheduled = true
    setImmediate(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    const waiting = this.#waiting
    this.#waiting = []
    const fd = this.#fd
    this.#flushing = fd
    const began = elapsed()
    const flushed = (error: unknown) => {
      this.#quick = elapsed() - began < QUICK_FLUSH
      this.#flushing = undefined
      // The file that has taken its place was flushed before it did.
      const replaced = fd !== this.#fd
      if (replaced) closeSync(fd)
      if (error === null || replaced) for (const { resolve } of waiting) resolve()
      else {
        this.#broken = true
        const failure = ioError(`${this.name}: fsync failed (${errorText(error)})`)
        for (const { reject } of waiting) reject(failure)
      }
      this.#scheduleFlush()
    }
    if (this.#quick) flushed(flushError(fd))
    else fdatasync(fd, flushed)
  }

  #takeBack(): void {
    try {
      ftruncateSync(this.#fd, this.#length)
    } catch {
      this.#broken = true
    }
  }

  async #compact(database: Database): Promise<void> {
    const generation = this.#generation
    const since: Uint8Array[] = []
    this.#since = since
    const body = await composed(databaseRecord(database, now(), COMPACTION_COMMENT))
    const beside = new FileBeside(this.#path, this.name)
    beside.write(formatRecord(schemaToJson(database.schema), CODEC))
    beside.write(frameRecord(body, CODEC))
    await beside.synced()
    // It was written anew meanwhile, and that is later than this.
    if (this.#generation !== generation) return beside.abandon()
    for (const record of since) beside.write(record)
    this.#replaceBy(beside)
    this.#records = since.length
  }

  #replaceBy(beside: FileBeside): void {
    beside.replace()
    // Whoever flushes the old file closes it.
    if (this.#flushing !== this.#fd) closeSync(this.#fd)
    this.#fd = beside.fd
    this.#length = beside.length
    this.#base = beside.length
    this.#records = 0
    this.#broken = !beside.named
    this.#generation++
  }
}

/** Flushes the file; null when that was possible. */
function flushError(fd: number): unknown {
  try {
    fdatasyncSync(fd)
    return null
  } catch (error) {
    return error
  }
}

/** Bytes of a text that comes in pieces, with turns for others between them. */
async function composed(pieces: Generator<string>): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let text = ''
  for (const piece of pieces) {
    text += piece
    if (text.length < PIECE_LENGTH) continue
    chunks.push(Buffer.from(text))
    text = ''
    await new Promise((resolve) => setImmediate(resolve))
  }
  chunks.push(Buffer.from(text))
  return Buffer.concat(chunks)
}
