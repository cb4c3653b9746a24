/**
 * Frames on their way from one thread to another: a ring in shared memory that one side fills and the other empties,
 * without locks. Packets go this way to controllers, and datagrams to services and back. It is bounded: what finds no
 * room is refused at once, and costs no more than that.
 *
 * The ring has lanes, and a source (a bridge, a router's interface) always uses the same one: who floods fills its own
 * lane, and frames of others still find theirs open (sources whose numbers are equal modulo LANES share one). The
 * reader takes a few frames from each in turn.
 *
 * A record is its length and its kind, 32 bits each, then its bytes, all padded to 8. What is to be said of a frame
 * besides its bytes, its head, is the same for all frames of a flow: it goes through the ring once, as a record of its
 * own, into one of the lane's slots, and frames name the slot. A slot that is needed for something else is filled anew.
 *
 * A reader that is woken by messages says before it sleeps that it must be; who writes asks once a burst whether it
 * must wake it. So a flood costs no messages between the threads, and a single frame waits for nothing.
 */
import { deserialize, serialize } from 'node:v8'

const LANES = 8
const SLOTS = 256
const HEAD_BYTES = 8
/** Frames taken from a lane before the others have their turn, and in one call. */
const TURN = 32
const MAX_DRAIN = 256
/** Up to here a loop is faster than making a view. */
const SHORT = 192

/** Kinds of records from here on: a head for the slot `kind - HEAD`; below: a frame with that slot's. */
const HEAD = SLOTS
/** The lane goes on at its beginning. */
const SKIP = -1

/** Words of the control block: whether the reader sleeps, then where each lane is written and read. */
const SLEEPS = 0
const WRITTEN = 8
const READ = WRITTEN + LANES
const CONTROL_BYTES = 256

/**
 * Memory of an empty ring, to be shared by its two ends.
 * @param laneBytes a power of two
 */
export function frameRing(laneBytes: number): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(CONTROL_BYTES + LANES * laneBytes)
  new Int32Array(memory)[SLEEPS] = 1
  return memory
}

/** Positions run on without end, modulo 2³²; this is what lies between two. */
const distance = (from: number, to: number): number => (to - from) >>> 0
const laneBytesOf = (memory: SharedArrayBuffer): number => (memory.byteLength - CONTROL_BYTES) / LANES
const padded = (length: number): number => (HEAD_BYTES + length + 7) & ~7

/** @template Head what stands by frames; plain data, and one object as long as it says the same */
export class FrameWriter<Head> {
  readonly #control: Int32Array
  readonly #laneBytes: number
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #written = new Uint32Array(LANES)
  /** As far as the reader is known to have come. */
  readonly #read = new Uint32Array(LANES)
  /** What stands in the slots, by lane. */
  readonly #slots = new Array<Head | undefined>(LANES * SLOTS).fill(undefined)

  constructor(memory: SharedArrayBuffer) {
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES >> 2)
    this.#laneBytes = laneBytesOf(memory)
    this.#words = new Int32Array(memory, CONTROL_BYTES)
    this.#bytes = new Uint8Array(memory, CONTROL_BYTES)
  }

  /**
   * Puts a frame into the ring, or answers false when there is no room.
   * @param source picks the lane
   * @param id of the head; picks the slot
   */
  put(source: number, id: number, head: Head, bytes: Uint8Array, at: number, length: number): boolean {
    const lane = source % LANES
    const slot = id % SLOTS
    if (this.#slots[lane * SLOTS + slot] !== head && !this.#putHead(lane, slot, head)) return false
    const to = this.#begin(lane, length, slot)
    if (to < 0) return false
    const ring = this.#bytes
    if (length <= SHORT) for (let i = 0; i < length; i++) ring[to + i] = bytes[at + i]
    else ring.set(bytes.subarray(at, at + length), to)
    this.#end(lane, length)
    return true
  }

  /** Whether the reader sleeps and something is there for it. */
  get waits(): boolean {
    if (Atomics.load(this.#control, SLEEPS) === 0) return false
    for (let lane = 0; lane < LANES; lane++) {
      if (this.#written[lane] !== Atomics.load(this.#control, READ + lane) >>> 0) return true
    }
    return false
  }

  /** As `waits`; then it must be woken, and is not asked about again. */
  get mustWake(): boolean {
    return this.waits && Atomics.exchange(this.#control, SLEEPS, 0) === 1
  }

  #putHead(lane: number, slot: number, head: Head): boolean {
    const bytes = serialize(head)
    const to = this.#begin(lane, bytes.length, HEAD + slot)
    if (to < 0) return false
    this.#bytes.set(bytes, to)
    this.#end(lane, bytes.length)
    this.#slots[lane * SLOTS + slot] = head
    return true
  }

  /** Room for a record: where its bytes go, or -1; what would leave a lane with little room for others gets none. */
  #begin(lane: number, length: number, kind: number): number {
    const laneBytes = this.#laneBytes
    const size = padded(length)
    if (size > laneBytes >> 1) return -1
    let offset = this.#written[lane] % laneBytes
    const skipped = offset + size > laneBytes ? laneBytes - offset : 0
    if (distance(this.#read[lane], this.#written[lane]) + skipped + size > laneBytes) {
      this.#read[lane] = Atomics.load(this.#control, READ + lane)
      if (distance(this.#read[lane], this.#written[lane]) + skipped + size > laneBytes) return -1
    }
    const base = lane * laneBytes
    if (skipped > 0) {
      this.#words[((base + offset) >> 2) + 1] = SKIP
      this.#written[lane] += skipped
      offset = 0
    }
    const word = (base + offset) >> 2
    this.#words[word] = length
    this.#words[word + 1] = kind
    return base + offset + HEAD_BYTES
  }

  /** The record is whole: the reader may see it. */
  #end(lane: number, length: number): void {
    this.#written[lane] += padded(length)
    Atomics.store(this.#control, WRITTEN + lane, this.#written[lane])
  }
}

export class FrameReader<Head> {
  readonly #control: Int32Array
  readonly #laneBytes: number
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #read = new Uint32Array(LANES)
  readonly #heads = new Array<Head | undefined>(LANES * SLOTS).fill(undefined)

  constructor(memory: SharedArrayBuffer) {
    this.#control = new Int32Array(memory, 0, CONTROL_BYTES >> 2)
    this.#laneBytes = laneBytesOf(memory)
    this.#words = new Int32Array(memory, CONTROL_BYTES)
    this.#bytes = new Uint8Array(memory, CONTROL_BYTES)
  }

  /**
   * Hands over some frames, whose bytes are the receiver's only until it returns. Answers whether there may be more,
   * for which it is to be called again soon; if not, the writer will say when there is.
   * @param most frames after which the turn of the lanes is the last
   */
  drain(take: (head: Head, frame: Uint8Array) => void, most = MAX_DRAIN): boolean {
    let left = most
    for (let found = true; found && left > 0; ) {
      found = false
      for (let lane = 0; lane < LANES; lane++) {
        const taken = this.#takeFrom(lane, take)
        if (taken > 0) found = true
        left -= taken
      }
    }
    if (left <= 0) return true
    Atomics.store(this.#control, SLEEPS, 1)
    if (this.empty) return false
    // Something came in between: whoever takes the mark down first sees to it.
    return Atomics.exchange(this.#control, SLEEPS, 0) === 1
  }

  /** Records taken from a lane in its turn. */
  #takeFrom(lane: number, take: (head: Head, frame: Uint8Array) => void): number {
    const written = Atomics.load(this.#control, WRITTEN + lane) >>> 0
    const laneBytes = this.#laneBytes
    const base = lane * laneBytes
    let taken = 0
    while (taken < TURN && this.#read[lane] !== written) {
      const offset = this.#read[lane] % laneBytes
      const word = (base + offset) >> 2
      const kind = this.#words[word + 1]
      if (kind === SKIP) {
        this.#read[lane] += laneBytes - offset
        continue
      }
      const length = this.#words[word]
      const at = base + offset + HEAD_BYTES
      const bytes = this.#bytes.subarray(at, at + length)
      if (kind >= HEAD) this.#heads[lane * SLOTS + kind - HEAD] = deserialize(bytes.slice())
      else take(this.#heads[lane * SLOTS + kind] as Head, bytes)
      this.#read[lane] += padded(length)
      taken++
    }
    if (taken > 0) Atomics.store(this.#control, READ + lane, this.#read[lane])
    return taken
  }

  get empty(): boolean {
    for (let lane = 0; lane < LANES; lane++) {
      if (Atomics.load(this.#control, WRITTEN + lane) >>> 0 !== this.#read[lane]) return false
    }
    return true
  }
}
