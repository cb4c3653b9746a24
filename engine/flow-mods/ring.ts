/**
 * Memory that two threads share, through which flow-mods go from one (who writes) to the other (who reads): a ring
 * of messages, each behind its length and its stream's number.
 *
 * Counters only grow, modulo 2^32. The reader raises `done` when a message has been carried out; the writer, having
 * looked at it for a while, leaves in `wanted` the count that it wants to be told of. A reader that sleeps is woken by
 * other means (doorbell.ts).
 */

/** Bytes of the ring, a power of two. */
const SIZE = 1 << 20
/** Before each message: its length, and its stream with the flag below. */
const HEADER = 8
const TABLE_ID = 1
/** In place of a length: the rest of the ring is left out. */
const SKIP = 0xffff_ffff

/** Words of the control block; those of either side in a cache line of their own. */
const WRITTEN = 0
const WANTED = 1
const WANTS = 2
const BLOCKED = 3
const READ = 16
const DONE = 17
const POSTED = 18
const CONTROL_BYTES = 128

export class FlowModRing {
  /** To be handed to the other thread. */
  readonly memory: SharedArrayBuffer
  readonly #control: Int32Array
  readonly #bytes: Uint8Array
  readonly #words: Uint32Array
  /** Where this side is in the ring. */
  #at = 0
  /** Of the message that `next` has found. */
  stream = 0
  tableIdExtension = false

  constructor(memory = new SharedArrayBuffer(CONTROL_BYTES + SIZE)) {
    this.memory = memory
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES >>> 2)
    this.#bytes = new Uint8Array(memory, CONTROL_BYTES, SIZE)
    this.#words = new Uint32Array(memory, CONTROL_BYTES, SIZE >>> 2)
  }

  /** The writer's: puts a message in. False: there is no room. */
  push(stream: number, bytes: Uint8Array, tableIdExtension: boolean): boolean {
    const length = HEADER + ((bytes.length + 7) & ~7)
    let at = this.#at & (SIZE - 1)
    const skipped = at + length > SIZE ? SIZE - at : 0
    const used = (this.#at - Atomics.load(this.#control, READ)) | 0
    if (used + skipped + length > SIZE) return false
    if (skipped > 0) {
      this.#words[at >>> 2] = SKIP
      this.#at = (this.#at + skipped) | 0
      at = 0
    }
    this.#words[at >>> 2] = bytes.length
    this.#words[(at >>> 2) + 1] = (stream << 1) | (tableIdExtension ? TABLE_ID : 0)
    this.#bytes.set(bytes, at + HEADER)
    this.#at = (this.#at + length) | 0
    Atomics.store(this.#control, WRITTEN, this.#at)
    return true
  }

  /** The writer's: how many messages have been carried out. */
  get done(): number {
    return Atomics.load(this.#control, DONE)
  }

  /** The writer's: asks to be told of a count, in place of what was asked before. */
  want(count: number): void {
    Atomics.store(this.#control, WANTED, count | 0)
    Atomics.store(this.#control, WANTS, 1)
  }

  /** The writer's: sleeps until more than `done` have been carried out, up to a time in milliseconds. */
  block(done: number, timeout: number): void {
    Atomics.store(this.#control, BLOCKED, 1)
    Atomics.wait(this.#control, DONE, done | 0, timeout)
    Atomics.store(this.#control, BLOCKED, 0)
  }

  /** Messages that the reader has sent by other ways than this. */
  get posted(): number {
    return Atomics.load(this.#control, POSTED)
  }

  /** The reader's: the next message, good until `release`; undefined when there is none. */
  next(): Uint8Array | undefined {
    for (;;) {
      if (Atomics.load(this.#control, WRITTEN) === this.#at) return undefined
      const at = this.#at & (SIZE - 1)
      const length = this.#words[at >>> 2]
      if (length === SKIP) {
        this.#at = (this.#at + SIZE - at) | 0
        continue
      }
      const tag = this.#words[(at >>> 2) + 1]
      this.stream = tag >>> 1
      this.tableIdExtension = (tag & TABLE_ID) !== 0
      this.#at = (this.#at + HEADER + ((length + 7) & ~7)) | 0
      return this.#bytes.subarray(at + HEADER, at + HEADER + length)
    }
  }

  get empty(): boolean {
    return Atomics.load(this.#control, WRITTEN) === this.#at
  }

  /** The reader's: messages have been carried out. Answers whether the writer is to be told. */
  release(count: number): boolean {
    Atomics.store(this.#control, READ, this.#at)
    const done = (Atomics.add(this.#control, DONE, count) + count) | 0
    if (Atomics.load(this.#control, BLOCKED) === 1) Atomics.notify(this.#control, DONE)
    if (Atomics.load(this.#control, WANTS) === 0) return false
    if (((done - Atomics.load(this.#control, WANTED)) | 0) < 0) return false
    return Atomics.exchange(this.#control, WANTS, 0) === 1
  }

  /** The reader's: a message is on its way by another way. */
  countPosted(): void {
    Atomics.add(this.#control, POSTED, 1)
  }
}
