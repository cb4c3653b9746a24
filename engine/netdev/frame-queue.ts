/**
 * A bounded queue of frames outside any packet pool: a ring of bytes and a ring of what is known of each. It
 * is what memory ports are joined by. Its bytes grow to what has had to wait at once, so that a port costs little
 * until it is used; then it allocates nothing more, and a full one refuses.
 */
import { GSO_NONE, MAX_FRAME, type PacketPool } from '../memory/packet-pool.ts'

/** The offload part of a frame's metadata, as in the packet pool. */
export interface OffloadRequest {
  readonly flags: number
  readonly gsoType: number
  readonly gsoSize: number
  readonly csumStart: number
  readonly csumOffset: number
}

export const NO_OFFLOAD: OffloadRequest = {
  flags: 0,
  gsoType: GSO_NONE,
  gsoSize: 0,
  csumStart: 0,
  csumOffset: 0,
}

/** Bytes of a queue that nothing has passed yet. */
const FIRST_BYTES = 4096
const NO_BYTES = new Uint8Array(0)
const NO_SHORTS = new Uint16Array(0)
const NO_WORDS = new Uint32Array(0)

export class FrameQueue {
  readonly #frames: number
  readonly #limit: number
  #bytes = NO_BYTES
  #start = NO_WORDS
  #len = NO_WORDS
  #flags = NO_BYTES
  #gsoType = NO_BYTES
  #gsoSize = NO_SHORTS
  #csumStart = NO_SHORTS
  #csumOffset = NO_SHORTS
  #head = 0
  #count = 0
  /** Where the next frame's bytes go. */
  #tail = 0

  /**
   * @param frames held at the most
   * @param bytes held at the most; at least one frame of the largest size fits
   */
  constructor(frames: number, bytes = frames * 2048) {
    this.#frames = frames
    this.#limit = Math.max(bytes, MAX_FRAME)
  }

  /** Memory is taken when the first frame comes: most of many ports may never see one. */
  #begin(): void {
    const frames = this.#frames
    this.#bytes = new Uint8Array(Math.min(this.#limit, FIRST_BYTES))
    this.#start = new Uint32Array(frames)
    this.#len = new Uint32Array(frames)
    this.#flags = new Uint8Array(frames)
    this.#gsoType = new Uint8Array(frames)
    this.#gsoSize = new Uint16Array(frames)
    this.#csumStart = new Uint16Array(frames)
    this.#csumOffset = new Uint16Array(frames)
  }

  get length(): number {
    return this.#count
  }

  /** Copies `len` bytes of `b` in; false when there is no room. */
  push(b: Uint8Array, o: number, len: number, offload: OffloadRequest = NO_OFFLOAD): boolean {
    const i = this.#reserve(len)
    if (i < 0) return false
    const to = this.#start[i]
    for (let k = 0; k < len; k++) this.#bytes[to + k] = b[o + k]
    this.#flags[i] = offload.flags
    this.#gsoType[i] = offload.gsoType
    this.#gsoSize[i] = offload.gsoSize
    this.#csumStart[i] = offload.csumStart
    this.#csumOffset[i] = offload.csumOffset
    return true
  }

  /** Copies a packet in, metadata included; false when there is no room. */
  pushPacket(pool: PacketPool, h: number): boolean {
    const len = pool.len[h]
    const i = this.#reserve(len)
    if (i < 0) return false
    const from = pool.off[h]
    const to = this.#start[i]
    for (let k = 0; k < len; k++) this.#bytes[to + k] = pool.u8[from + k]
    this.#flags[i] = pool.vnetFlags[h]
    this.#gsoType[i] = pool.gsoType[h]
    this.#gsoSize[i] = pool.gsoSize[h]
    this.#csumStart[i] = pool.csumStart[h]
    this.#csumOffset[i] = pool.csumOffset[h]
    return true
  }

  /** A place for `len` bytes behind the last frame, or -1. */
  #reserve(len: number): number {
    if (this.#count === this.#frames) return -1
    if (this.#bytes.length === 0) this.#begin()
    let at = this.#room(len)
    while (at < 0 && this.#grow()) at = this.#room(len)
    if (at < 0) return -1
    const i = (this.#head + this.#count++) % this.#frames
    this.#start[i] = at
    this.#len[i] = len
    this.#tail = at + len
    return i
  }

  /** Where `len` bytes in one piece are free, or -1. */
  #room(len: number): number {
    const size = this.#bytes.length
    if (this.#count === 0) return len <= size ? 0 : -1
    const at = this.#tail
    const first = this.#start[this.#head]
    if (at <= first) return at + len <= first ? at : -1
    // Free is what lies behind the last frame, and what lies before the first.
    if (at + len <= size) return at
    return len <= first ? 0 : -1
  }

  /** Moves what waits to the start of twice as many bytes; false when there are as many as there may be. */
  #grow(): boolean {
    const old = this.#bytes
    if (old.length === this.#limit) return false
    this.#bytes = new Uint8Array(Math.min(2 * old.length, this.#limit))
    this.#tail = 0
    for (let n = 0; n < this.#count; n++) {
      const i = (this.#head + n) % this.#frames
      const from = this.#start[i]
      this.#bytes.set(old.subarray(from, from + this.#len[i]), this.#tail)
      this.#start[i] = this.#tail
      this.#tail += this.#len[i]
    }
    return true
  }

  /** Bytes of the first frame. */
  firstLen(): number {
    return this.#len[this.#head]
  }

  /** Copies the first frame's bytes to index `at` and takes it off the queue. */
  shiftInto(b: Uint8Array, at: number): void {
    const from = this.#start[this.#head]
    const len = this.#len[this.#head]
    for (let k = 0; k < len; k++) b[at + k] = this.#bytes[from + k]
    this.drop()
  }

  /** The first frame's offloads; read before it is taken off. */
  firstFlags(): number {
    return this.#flags[this.#head]
  }
  firstGsoType(): number {
    return this.#gsoType[this.#head]
  }
  firstGsoSize(): number {
    return this.#gsoSize[this.#head]
  }
  firstCsumStart(): number {
    return this.#csumStart[this.#head]
  }
  firstCsumOffset(): number {
    return this.#csumOffset[this.#head]
  }

  /** Takes the first frame off and answers a copy of it, or undefined. Allocates: control path only. */
  shift(): Uint8Array | undefined {
    if (this.#count === 0) return undefined
    const out = new Uint8Array(this.firstLen())
    this.shiftInto(out, 0)
    return out
  }

  /** Takes the first frame off. */
  drop(): void {
    this.#head = (this.#head + 1) % this.#frames
    this.#count--
  }
}
