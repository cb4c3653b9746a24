/**
 * The file that leases survive in. Appending is grouped: while one write is being made durable, all records
 * that arrive wait and go together into the next; where they come thick and fast, it waits for a few more. So
 * thousands of leases a second cost few flushes. A record's callback is called when it is on the medium, never before.
 * Batches are written into room that was made before, so that the medium need not take down a new length each time.
 *
 * A failed write fails the records of its batch. If there was no room, the file is cut back to its last whole record
 * and the next batch tries again; after any other error nobody knows what the medium holds, so the next batch
 * rewrites the whole file first.
 */

import { constants, promises } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  decodeJournal,
  encodeJournal,
  encodeRecord,
  HEADING,
  joinFrames,
} from '../../protocols/dhcp/journal.ts'
import type { LeaseRecord } from '../../protocols/dhcp/lease-record.ts'
import { pause } from './scheduler.ts'

/** When a batch had so many records, as many more are soon to come, and the next waits for them, in milliseconds. */
const MANY = 4
const PAUSE = 2
/** Records in the file before it is rewritten, if that many are more than twice what it would then hold. */
const COMPACT_AFTER = 4096
/** Bytes of zeros that are written behind a batch for which there was no room left. */
const ROOM = 1 << 16
/** A write is over when it is on the medium, as though fdatasync() had followed. */
const DURABLE = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC

/** Why leases cannot be kept; `message` is one sentence for the log or the terminal. */
export class LeaseJournalError extends Error {
  /** The system's code (ENOSPC, EIO, EACCES, …), or EFORMAT for a file that is no journal. */
  readonly code: string
  readonly path: string

  constructor(path: string, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'LeaseJournalError'
    this.path = path
    this.code = code
  }
}

export interface LeaseJournalOptions {
  readonly path: string
  /** All leases that are to be kept: asked for when the file is rewritten. */
  readonly snapshot: () => Iterable<LeaseRecord>
  /** How many those are. */
  readonly size: () => number
  /** Called when writing begins to fail, and with undefined when it works again. Once each. */
  readonly onFailure: (error: LeaseJournalError | undefined) => void
  /** Records after which rewriting is considered; default 4,096. */
  readonly compactAfter?: number
}

/** What the file held. */
export interface ReplayedJournal {
  readonly records: readonly LeaseRecord[]
  /** Bytes of a torn last record, and of damage in between, that were passed over. */
  readonly torn: number
  readonly damaged: number
}

interface Waiting {
  readonly frame: Uint8Array
  readonly done: (error?: LeaseJournalError) => void
}

/** Whether a write has failed for want of room only. */
function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function explain(path: string, doing: string, cause: unknown): LeaseJournalError {
  if (cause instanceof LeaseJournalError) return cause
  const error = cause as NodeJS.ErrnoException
  const code = error.code ?? 'EIO'
  const what =
    code === 'ENOSPC' ? 'the disk is full' : code === 'EDQUOT' ? 'the quota is used up' : error.message
  return new LeaseJournalError(path, code, `cannot ${doing} the lease journal ${path}: ${what}`, cause)
}

async function writeAll(file: FileHandle, data: Uint8Array, position: number): Promise<void> {
  let at = 0
  while (at < data.length) {
    const { bytesWritten } = await file.write(data, at, data.length - at, position + at)
    at += bytesWritten
  }
}

/** Where a DHCP server keeps its leases; a journal on disk, or memory in simulations. */
export interface LeaseStore {
  /** Makes a record durable after all before it; `done` is never called from within. */
  append(record: LeaseRecord, done: (error?: Error) => void): void
  close(): Promise<void>
}

export class LeaseJournal implements LeaseStore {
  readonly #options: LeaseJournalOptions
  #file: FileHandle
  /** Bytes that are whole records on the medium. */
  #length: number
  /** Bytes that the file has, with the zeros behind the records. */
  #room: number
  /** Records in the file, superseded ones included. */
  #count: number
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined
  #mustRewrite: boolean
  #failing = false
  #closed = false

  private constructor(
    options: LeaseJournalOptions,
    file: FileHandle,
    length: number,
    count: number,
    dirty: boolean,
  ) {
    this.#options = options
    this.#file = file
    this.#length = length
    this.#room = length
    this.#count = count
    this.#mustRewrite = dirty
  }

  /**
   * Opens the journal, or creates it with mode 0600. What a crash has torn is cut off with the next write.
   * @throws LeaseJournalError
   */
  static async open(
    options: LeaseJournalOptions,
  ): Promise<{ journal: LeaseJournal; replayed: ReplayedJournal }> {
    const { path } = options
    let file: FileHandle | undefined
    try {
      await promises.unlink(temporary(path)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
      })
      const content = await promises.readFile(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
        return undefined
      })
      const decoded = decodeJournal(content ?? new Uint8Array(0))
      if (decoded === undefined) {
        throw new LeaseJournalError(
          path,
          'EFORMAT',
          `${path} is not a lease journal; move it away to start anew`,
        )
      }
      file = await promises.open(path, DURABLE, 0o600)
      let { length } = decoded
      if (length === 0) {
        await writeAll(file, HEADING, 0)
        length = HEADING.length
      }
      await file.truncate(length)
      await file.datasync()
      if (content === undefined) await syncDirectory(path)
      const { records, torn, damaged } = decoded
      const journal = new LeaseJournal(options, file, length, records.length, damaged > 0)
      return { journal, replayed: { records, torn, damaged } }
    } catch (error) {
      await file?.close().catch(() => {})
      throw explain(path, 'open', error)
    }
  }

  /** Bytes of whole records. */
  get length(): number {
    return this.#length
  }

  /** Records that wait for the medium. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Writes a record behind all before it. `done` hears when it is durable, or why it is not. */
  append(record: LeaseRecord, done: (error?: LeaseJournalError) => void): void {
    if (this.#closed) {
      const { path } = this.#options
      queueMicrotask(() =>
        done(new LeaseJournalError(path, 'ECLOSED', `the lease journal ${path} is closed`)),
      )
      return
    }
    this.#waiting.push({ frame: encodeRecord(record), done })
    this.#running ??= this.#run()
  }

  /** Waits for what was appended and closes the file. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#running
    await this.#file.truncate(this.#length).catch(() => {})
    await this.#file.close()
  }

  async #run(): Promise<void> {
    // One turn of the event loop, so that what came in together goes out together.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      let failure: LeaseJournalError | undefined
      try {
        await this.#write(batch)
      } catch (error) {
        failure = explain(this.#options.path, 'write', error)
      }
      if ((failure !== undefined) !== this.#failing) {
        this.#failing = failure !== undefined
        this.#options.onFailure(failure)
      }
      for (const w of batch) w.done(failure)
      if (batch.length >= MANY) await pause(PAUSE)
    }
    this.#running = undefined
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    if (this.#mustRewrite || this.#isBloated()) await this.#rewrite()
    const frames = batch.map((w) => w.frame)
    const end = frames.reduce((at, frame) => at + frame.length, this.#length)
    const data = joinFrames(frames, end > this.#room ? ROOM : 0)
    try {
      await writeAll(this.#file, data, this.#length)
    } catch (error) {
      this.#room = this.#length
      this.#mustRewrite = !isFull(error)
      await this.#file.truncate(this.#length).catch(() => {
        this.#mustRewrite = true
      })
      throw error
    }
    this.#room = Math.max(this.#room, this.#length + data.length)
    this.#length = end
    this.#count += batch.length
  }

  #isBloated(): boolean {
    const { compactAfter = COMPACT_AFTER, size } = this.#options
    return this.#count >= Math.max(compactAfter, 2 * size())
  }

  /**
   * Compaction: the whole state into a new file, which then takes the place of the old one in one step. What is
   * on its way is not in the snapshot and follows behind it.
   */
  async #rewrite(): Promise<void> {
    const { path, snapshot } = this.#options
    const records = [...snapshot()]
    const data = encodeJournal(records)
    const next = temporary(path)
    const file = await promises.open(next, DURABLE | constants.O_TRUNC, 0o600)
    try {
      await writeAll(file, data, 0)
      await promises.rename(next, path)
    } catch (error) {
      await file.close().catch(() => {})
      await promises.unlink(next).catch(() => {})
      throw error
    }
    const old = this.#file
    this.#file = file
    this.#length = data.length
    this.#room = data.length
    this.#count = records.length
    this.#mustRewrite = false
    await old.close().catch(() => {})
    try {
      await syncDirectory(path)
    } catch (error) {
      this.#mustRewrite = true
      throw error
    }
  }
}

function temporary(path: string): string {
  return `${path}.new`
}

/** A file's name is durable only when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await promises.open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
