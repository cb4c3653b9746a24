/** Cuts a stream of bytes into lines. A byte is looked at once, however many chunks its line comes in. */
export class LineReader {
  readonly #limit: number
  #chunks: Buffer[] = []
  #length = 0
  #lines: string[] = []

  /** @param limit bytes of a line; see `tooLong`. */
  constructor(limit: number) {
    this.#limit = limit
  }

  push(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#lines.push(Buffer.concat([...this.#chunks, chunk.subarray(from, end)]).toString('utf8'))
      this.#chunks = []
      this.#length = 0
      from = end + 1
    }
    if (from === chunk.length) return
    this.#chunks.push(chunk.subarray(from))
    this.#length += chunk.length - from
  }

  /** The next whole line without its end; `undefined` when there is none yet. */
  next(): string | undefined {
    return this.#lines.shift()
  }

  /** Whether what has come of an unfinished line is already longer than one may be. */
  get tooLong(): boolean {
    return this.#length > this.#limit
  }
}

/** Reads one line and keeps the bytes behind it as they are. */
export class FirstLine {
  #chunks: Buffer[] = []

  /** The line and the bytes behind it, once the line is whole. */
  push(chunk: Buffer): { line: string; rest: Buffer } | undefined {
    const end = chunk.indexOf(10)
    if (end < 0) {
      this.#chunks.push(chunk)
      return undefined
    }
    const line = Buffer.concat([...this.#chunks, chunk.subarray(0, end)]).toString('utf8')
    return { line, rest: chunk.subarray(end + 1) }
  }
}
