/**
 * Small messages that leave together: a system call for each would cost more than all else that is done for it. They
 * wait no longer than what the program is at takes.
 */
import type { Duplex } from 'node:stream'

const CAPACITY = 1 << 17

export class WriteBatch {
  readonly #duplex: Duplex
  #bytes: Uint8Array | undefined
  #length = 0

  constructor(duplex: Duplex) {
    this.#duplex = duplex
  }

  /** Adds a message of `length` bytes, at most 65,535, that `write` puts where it is told. */
  add(length: number, write: (out: Uint8Array, at: number) => void): void {
    if (this.#length + length > CAPACITY) this.flush()
    if (this.#length === 0) queueMicrotask(() => this.flush())
    this.#bytes ??= new Uint8Array(CAPACITY)
    write(this.#bytes, this.#length)
    this.#length += length
  }

  /** Sends what has been added; what is written to the stream directly comes behind it. */
  flush(): void {
    if (this.#length === 0) return
    const bytes = Buffer.from(this.#bytes!.subarray(0, this.#length))
    this.#length = 0
    if (!this.#duplex.destroyed && !this.#duplex.writableEnded) this.#duplex.write(bytes)
  }
}
