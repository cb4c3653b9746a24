/** Frames on a stream of bytes, each behind its length in two bytes: how dummy devices of Open vSwitch speak. */

const LENGTH = 2
const MIN_FRAME = 14

export function framed(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(LENGTH + frame.length)
  bytes[0] = frame.length >>> 8
  bytes[1] = frame.length
  bytes.set(frame, LENGTH)
  return bytes
}

export class FrameReader {
  #pending = new Uint8Array(0)

  /** The frames that are whole by now; undefined when what comes can be no frames. */
  push(chunk: Uint8Array): Uint8Array[] | undefined {
    const bytes = new Uint8Array(this.#pending.length + chunk.length)
    bytes.set(this.#pending)
    bytes.set(chunk, this.#pending.length)
    const frames: Uint8Array[] = []
    let at = 0
    while (at + LENGTH <= bytes.length) {
      const length = bytes[at]! * 256 + bytes[at + 1]!
      if (length < MIN_FRAME) return undefined
      if (at + LENGTH + length > bytes.length) break
      frames.push(bytes.slice(at + LENGTH, at + LENGTH + length))
      at += LENGTH + length
    }
    this.#pending = bytes.slice(at)
    return frames
  }
}
