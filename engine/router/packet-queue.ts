/**
 * Packets put by until something is known about their next hop. Each queue is short, and all queues together
 * hold a bounded part of the packet pool, so that no scan of a subnet can starve the switch of cells. Whatever
 * is full gives up its oldest packet for the newest (RFC 1122 §2.3.2.2): a station that is there answers
 * within milliseconds, so what has waited longest has the least to hope for.
 */

const NONE = -1

/** Packets per neighbour at the most. */
export const QUEUE_LENGTH = 16

/** The storage all queues of a datapath share. */
export class PacketStore {
  readonly handle: Int32Array
  readonly iface: Int32Array
  /** Next in the same queue, or in the list of free nodes. */
  readonly next: Int32Array
  /** Neighbours in the order of age of all that wait. */
  readonly #younger: Int32Array
  readonly #elder: Int32Array
  readonly #queues: (PacketQueues | undefined)[]
  readonly #slot: Int32Array
  #free: number
  #oldest = NONE
  #youngest = NONE

  constructor(capacity: number) {
    this.handle = new Int32Array(capacity)
    this.iface = new Int32Array(capacity)
    this.next = Int32Array.from({ length: capacity }, (_, i) => (i + 1 < capacity ? i + 1 : NONE))
    this.#younger = new Int32Array(capacity)
    this.#elder = new Int32Array(capacity)
    this.#slot = new Int32Array(capacity)
    this.#queues = new Array<PacketQueues | undefined>(capacity).fill(undefined)
    this.#free = capacity > 0 ? 0 : NONE
  }

  get isFull(): boolean {
    return this.#free === NONE
  }

  /** Takes the packet that has waited longest out of its queue and hands it to the caller; -1 when none waits. */
  shiftOldest(): number {
    const n = this.#oldest
    // The oldest of all is the oldest of its queue.
    return n === NONE ? -1 : this.#queues[n]!.shift(this.#slot[n])
  }

  /** A node for the youngest packet, which joins this queue; -1 when there is none. */
  take(queues: PacketQueues, slot: number): number {
    const n = this.#free
    if (n === NONE) return n
    this.#free = this.next[n]
    this.#queues[n] = queues
    this.#slot[n] = slot
    this.#elder[n] = this.#youngest
    this.#younger[n] = NONE
    if (this.#youngest === NONE) this.#oldest = n
    else this.#younger[this.#youngest] = n
    this.#youngest = n
    return n
  }

  release(n: number): void {
    const elder = this.#elder[n]
    const younger = this.#younger[n]
    if (elder === NONE) this.#oldest = younger
    else this.#younger[elder] = younger
    if (younger === NONE) this.#youngest = elder
    else this.#elder[younger] = elder
    this.#queues[n] = undefined
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
  /** After `shift`: the interface its packet came in by. */
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
    const n = this.#store.take(this, slot)
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
