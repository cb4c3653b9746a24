/** Cuts a byte stream into OpenFlow messages. */

import { HEADER_LEN } from './message-header.ts'

/** A stream that cannot be one of OpenFlow: a message shorter than its own header. The connection has to go. */
export type FramingFault = 'short-message'

/** Holds at most one unfinished message, 64 KiB. */
export class MessageReader {
  private buffer = new Uint8Array(4096)
  private filled = 0
  private fault: FramingFault | undefined

  /** Why nothing more comes out of it. */
  get failure(): FramingFault | undefined {
    return this.fault
  }

  /** Bytes of a message that is not whole yet. */
  get pending(): number {
    return this.filled
  }

  /**
   * Takes a chunk and hands out each whole message, which is the receiver's to keep only until `message` returns
   * (it is cut from the chunk where that is possible). Stops at a framing fault, and when `message` returns false.
   */
  push(chunk: Uint8Array, message: (bytes: Uint8Array) => boolean | undefined): void {
    let o = 0
    while (this.fault === undefined) {
      if (this.filled > 0) {
        const need = this.missing()
        if (need > 0) {
          const n = Math.min(need, chunk.length - o)
          this.keep(chunk, o, n)
          o += n
          if (n < need) return
          continue
        }
        if (need < 0) break
        const whole = this.buffer.subarray(0, this.filled)
        this.filled = 0
        if (message(whole) === false) return
        continue
      }
      const left = chunk.length - o
      if (left < HEADER_LEN) {
        this.keep(chunk, o, left)
        return
      }
      const length = (chunk[o + 2] << 8) | chunk[o + 3]
      if (length < HEADER_LEN) break
      if (left < length) {
        this.keep(chunk, o, left)
        return
      }
      const whole = chunk.subarray(o, o + length)
      o += length
      if (message(whole) === false) return
    }
    this.fault = 'short-message'
    this.filled = 0
  }

  /** How many bytes the next step needs on top of what is kept; negative for a framing fault. */
  private missing(): number {
    if (this.filled < HEADER_LEN) return HEADER_LEN - this.filled
    const length = (this.buffer[2] << 8) | this.buffer[3]
    return length < HEADER_LEN ? -1 : length - this.filled
  }

  private keep(chunk: Uint8Array, o: number, n: number): void {
    const need = this.filled + n
    if (need > this.buffer.length) {
      const grown = new Uint8Array(Math.max(need, Math.min(0x1_0000, 2 * this.buffer.length)))
      grown.set(this.buffer.subarray(0, this.filled))
      this.buffer = grown
    }
    this.buffer.set(chunk.subarray(o, o + n), this.filled)
    this.filled = need
  }
}
