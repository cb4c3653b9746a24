/**
 * One system call for all that the TAPs of a thread read and write between two looks at the world. A read goes straight
 * into a cell. A frame that leaves is copied, since it belongs to its sender; one that is too large for that is written
 * at once, with all that waits before it.
 */
import { BURST, type PacketPool } from '../memory/packet-pool.ts'
import { IoUring } from '../sys/io-uring.ts'
import { EAGAIN, memcpy, SystemError } from '../sys/libc.ts'
import { mapMemory } from '../sys/memory.ts'
import { copyWords, WORD_COPY } from './copy-words.ts'

/** Requests that wait at the most, reads and writes. */
const REQUESTS = 8 * BURST
/** Frames that wait to be written at the most. */
const WRITES = 2 * BURST
/** Room for one of them, an odd number of cache lines. */
const SLOT = 2112
/** In place of a cell: the request is a write. */
const NO_CELL = -1

/** Who has frames read and written. */
export interface BatchUser {
  readonly fd: number
  /**
   * Told how a read went; the cell is the user's.
   * @param result bytes, or the number of the error, negative
   */
  arrived(h: number, result: number): void
  /**
   * Told how a write went.
   * @param result bytes, or the number of the error, negative
   * @param packets how many the frame stands for
   * @param bytes of all of them
   */
  written(result: number, packets: number, bytes: number): void
}

export class TapBatch {
  readonly #pool: PacketPool
  readonly #pool32: Uint32Array
  readonly #ring = new IoUring(REQUESTS)
  readonly #slots = mapMemory(WRITES * SLOT)
  readonly #slots8 = this.#slots.bytes
  readonly #slots32 = new Uint32Array(this.#slots.bytes.buffer)
  #writes = 0
  /** By request. */
  readonly #users: BatchUser[] = []
  readonly #cells = new Int32Array(REQUESTS)
  readonly #packets = new Uint16Array(REQUESTS)
  readonly #bytes = new Uint32Array(REQUESTS)

  /** @throws SystemError where there is no io_uring */
  constructor(pool: PacketPool) {
    this.#pool = pool
    this.#pool32 = new Uint32Array(pool.u8.buffer, pool.u8.byteOffset, pool.u8.byteLength >>> 2)
  }

  /** One for a thread's TAPs, or none where the kernel or its keeper lacks io_uring. */
  static open(pool: PacketPool): TapBatch | undefined {
    try {
      return new TapBatch(pool)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      return undefined
    }
  }

  /** Whether reads of this descriptor need not wait; takes a frame off its queue if there is one. */
  serves(fd: number): boolean {
    this.submit()
    const ring = this.#ring
    ring.read(fd, this.#slots.address, SLOT)
    ring.submit()
    return ring.results[0] >= 0 || ring.results[0] === -EAGAIN
  }

  /** Has a frame read, at the latest by `submit`, to index `at` of the slab, which is in a cell of the user's. */
  read(user: BatchUser, h: number, at: number, length: number): void {
    const i = this.#room()
    this.#users[i] = user
    this.#cells[i] = h
    this.#ring.read(user.fd, this.#pool.address + at, length)
  }

  /**
   * Has a frame written, at the latest by `submit`; frames leave in the order of these calls.
   * @param at index in the slab of the first byte, as the descriptor wants it
   */
  write(user: BatchUser, at: number, length: number, packets: number, bytes: number): void {
    const i = this.#room()
    this.#users[i] = user
    this.#cells[i] = NO_CELL
    this.#packets[i] = packets
    this.#bytes[i] = bytes
    if (length > SLOT) {
      this.#ring.write(user.fd, this.#pool.address + at, length)
      this.submit()
      return
    }
    const to = this.#writes++ * SLOT
    this.#copy(at, to, length)
    this.#ring.write(user.fd, this.#slots.address + to, length)
    if (this.#writes === WRITES) this.submit()
  }

  /** The number of the next request. */
  #room(): number {
    if (this.#ring.waiting === REQUESTS) this.submit()
    return this.#ring.waiting
  }

  /** May write a few bytes more than `length`; a slot has room for them. */
  #copy(from: number, to: number, length: number): void {
    if (length > WORD_COPY) {
      memcpy(this.#slots.address + to, this.#pool.address + from, length)
      return
    }
    if ((from & 3) === 0) {
      copyWords(this.#pool32, from, this.#slots32, to, length)
      return
    }
    const b = this.#pool.u8
    for (let i = 0; i < length; i++) this.#slots8[to + i] = b[from + i]
  }

  /** Has done all that waits, and tells the users. */
  submit(): void {
    const ring = this.#ring
    const count = ring.submit()
    this.#writes = 0
    for (let i = 0; i < count; i++) {
      const user = this.#users[i]
      const h = this.#cells[i]
      if (h === NO_CELL) user.written(ring.results[i], this.#packets[i], this.#bytes[i])
      else user.arrived(h, ring.results[i])
    }
  }
}
