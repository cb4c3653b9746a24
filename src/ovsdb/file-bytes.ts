import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { LogBytes } from '../../protocols/ovsdb/log-record.ts'
import { errorText } from '../process/error-text.ts'
import { ioError } from './file-beside.ts'

/** What is read at a time, at least. */
const WINDOW = 2 ** 20
/** As much as the system reads at a time. */
const MAX_READ = 2 ** 30

/** The bytes of a file, of whatever length, of which only those that are looked at are in memory. */
export class FileBytes implements LogBytes {
  readonly length: number
  readonly #fd: number
  readonly #name: string
  #window: Uint8Array = new Uint8Array()
  #from = 0

  /** @param name for people. @throws OvsdbError, as reading does */
  constructor(path: string, name: string) {
    this.#name = name
    try {
      this.#fd = openSync(path, 'r')
    } catch (error) {
      throw ioError(`${name}: open failed (${errorText(error)})`)
    }
    this.length = fstatSync(this.#fd).size
  }

  subarray(from: number, to: number): Uint8Array {
    const end = Math.min(to, this.length)
    if (from >= end) return new Uint8Array()
    if (from < this.#from || end > this.#from + this.#window.length) {
      this.#window = this.#read(from, Math.max(end, Math.min(from + WINDOW, this.length)))
      this.#from = from
    }
    return this.#window.subarray(from - this.#from, end - this.#from)
  }

  close(): void {
    closeSync(this.#fd)
  }

  #read(from: number, to: number): Uint8Array {
    const bytes = new Uint8Array(to - from)
    let at = 0
    try {
      while (at < bytes.length) {
        const n = readSync(this.#fd, bytes, at, Math.min(bytes.length - at, MAX_READ), from + at)
        if (n === 0) throw new Error('End of file')
        at += n
      }
    } catch (error) {
      const where = `${bytes.length} bytes starting at offset ${from}`
      throw ioError(`${this.#name}: error reading ${where} (${errorText(error)})`)
    }
    return bytes
  }
}
