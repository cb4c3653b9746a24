/**
 * Many frames read from and written to TAPs in one system call, for all TAPs of a thread. A read goes straight into a
 * cell. A frame that leaves is copied, since it belongs to its sender; one that is too large for that is written at
 * once, with all that waits before it.
 */
import { BURST, type PacketPool } from '../memory/packet-pool.ts'
import { IoUring } from '../sys/io-uring.ts'
import { EAGAIN, memcpy, SystemError } from '../sys/libc.ts'
import { mapMemory } from '../sys/memory.ts'
import { copyWords, WORD_COPY } from './copy-words.ts'

/** Frames that wait to be written at the most. */
const WRITES = 64
/** Room for one of them, an odd number of cache lines. */
const SLOT = 2112

/** Who has frames written. */
export interface Writer {
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
  readonly #reads = new IoUring(BURST)
  readonly #writes = new IoUring(WRITES)
  readonly #slots = mapMemory(WRITES * SLOT)
  readonly #slots8 = this.#slots.bytes
  readonly #slots32 = new Uint32Array(this.#slots.bytes.buffer)
  readonly #writers: Writer[] = []
  readonly #packets = new Uint16Array(WRITES)
  readonly #bytes = new Uint32Array(WRITES)

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
    const { address } = this.#slots
    this.flush()
    this.#reads.read(fd, address, SLOT)
    this.#reads.submit()
    return this.#reads.results[0] >= 0 || this.#reads.results[0] === -EAGAIN
  }

  /** Asks for a frame, to index `at` of the slab; at most `BURST` before `read`. */
  askFor(fd: number, at: number, length: number): void {
    this.#reads.read(fd, this.#pool.address + at, length)
  }

  /** Has the frames read that were asked for. */
  read(): void {
    this.#reads.submit()
  }

  /** Bytes that came for a request, counted from 0; or the number of the error, negative. */
  result(request: number): number {
    return this.#reads.results[request]
  }

  /**
   * Has a frame written, at the latest by `flush`; frames leave in the order of these calls.
   * @param at index in the slab of the first byte, as the descriptor wants it
   */
  write(writer: Writer, fd: number, at: number, length: number, packets: number, bytes: number): void {
    const i = this.#writes.waiting
    this.#writers[i] = writer
    this.#packets[i] = packets
    this.#bytes[i] = bytes
    if (length > SLOT) {
      this.#writes.write(fd, this.#pool.address + at, length)
      this.flush()
      return
    }
    const to = i * SLOT
    this.#copy(at, to, length)
    this.#writes.write(fd, this.#slots.address + to, length)
    if (i + 1 === WRITES) this.flush()
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

  /** Writes all that waits. */
  flush(): void {
    const writes = this.#writes
    const count = writes.submit()
    for (let i = 0; i < count; i++) {
      this.#writers[i].written(writes.results[i], this.#packets[i], this.#bytes[i])
    }
  }
}
