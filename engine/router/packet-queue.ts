/**
 * Packets put by until something is known about their next hop. Each queue is short and keeps the latest
 * (RFC 1122 §2.3.2.2), and all queues together hold a bounded part of the packet pool, so that no scan of a
 * subnet can starve the switch of cells.
 */

const NONE = -1

/** Packets per neighbour at the most. */
export const QUEUE_LENGTH = 16

/** The storage all queues of a datapath share. */
export class PacketStore {
  readonly handle: Int32Array
  readonly iface: Int32Array
  readonly next: Int32Array
  #free: number

  constructor(capacity: number) {
    this.handle = new Int32Array(capacity)
    this.iface = new Int32Array(capacity)
    this.next = Int32Array.from({ length: capacity }, (_, i) => (i + 1 < capacity ? i + 1 : NONE))
    this.#free = capacity > 0 ? 0 : NONE
  }

  /** A node, or -1 when all are taken. */
  take(): number {
    const n = this.#free
    if (n !== NONE) this.#free = this.next[n]
    return n
  }

  release(n: number): void {
    this.next[n] = this.#free
    this.#free = n
  }
}

/** One queue per slot of a neighbour table. */
export class PacketQueues {
  readonly #store: PacketStore
  readonly #head: Int32Array
  readonly #tail: Int32Array
  readonly #count: Uint8Array
  /** After `shift`: where its packet came in by. */
  iface = 0

  constructor(slots: number, store: PacketStore) {
    this.#store = store
    this.#head = new Int32Array(slots).fill(NONE)
    this.#tail = new Int32Array(slots).fill(NONE)
    this.#count = new Uint8Array(slots)
  }

  isFull(slot: number): boolean {
    return this.#count[slot] >= QUEUE_LENGTH
  }

  /** Puts a packet by. @returns false when there is no room, in which case it stays the caller's */
  push(slot: number, h: number, iface: number): boolean {
    if (this.isFull(slot)) return false
    const n = this.#store.take()
    if (n === NONE) return false
    this.#store.handle[n] = h
    this.#store.iface[n] = iface
    this.#store.next[n] = NONE
    if (this.#head[slot] === NONE) this.#head[slot] = n
    else this.#store.next[this.#tail[slot]] = n
    this.#tail[slot] = n
    this.#count[slot]++
    return true
  }

  /** Hands the oldest packet back to the caller, or -1; sets `iface`. */
  shift(slot: number): number {
    const n = this.#head[slot]
    if (n === NONE) return -1
    this.#head[slot] = this.#store.next[n]
    this.#count[slot]--
    this.iface = this.#store.iface[n]
    const h = this.#store.handle[n]
    this.#store.release(n)
    return h
  }
}
