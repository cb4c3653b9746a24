/**
 * Packets on their way to a controller that wants no more than so many a second (controller_rate_limit and
 * controller_burst_limit of ovs-vswitchd.conf.db(5)): who sends much does not keep the others from being heard, since
 * each port has a queue of its own and they take turns.
 */
import { type Instant, SECOND } from '../../protocols/time.ts'

/** Packets that wait, of all ports together. */
const MAX_WAITING = 100

export class PacketSchedule<Item> {
  readonly #rate: number
  readonly #burst: number
  readonly #send: (item: Item) => void
  #tokens: number
  #filledAt: Instant
  /** By port, in the order of their turns. */
  readonly #queues = new Map<number, Item[]>()
  #waiting = 0
  /** Packets that found no room, or had to make it. */
  dropped = 0

  /**
   * @param rate packets a second; 0 for no limit
   * @param burst packets that may go at once; 0 for a quarter of a second's
   */
  constructor(now: Instant, rate: number, burst: number, send: (item: Item) => void) {
    this.#rate = rate
    this.#burst = Math.max(1, burst === 0 ? Math.floor(rate / 4) : burst)
    this.#send = send
    this.#tokens = this.#burst
    this.#filledAt = now
  }

  add(now: Instant, port: number, item: Item): void {
    if (this.#rate === 0) {
      this.#send(item)
      return
    }
    this.#fill(now)
    if (this.#waiting === 0 && this.#tokens >= 1) {
      this.#tokens--
      this.#send(item)
      return
    }
    if (this.#waiting >= MAX_WAITING) this.#makeRoom()
    const queue = this.#queues.get(port)
    if (queue === undefined) this.#queues.set(port, [item])
    else queue.push(item)
    this.#waiting++
  }

  poll(now: Instant): void {
    this.#fill(now)
    while (this.#waiting > 0 && this.#tokens >= 1) {
      const [port, queue] = this.#queues.entries().next().value!
      this.#queues.delete(port)
      this.#tokens--
      this.#waiting--
      const item = queue.shift()!
      // Its next turn comes after all others.
      if (queue.length > 0) this.#queues.set(port, queue)
      this.#send(item)
    }
  }

  pollAt(): Instant | undefined {
    if (this.#waiting === 0) return undefined
    return this.#filledAt + Math.max(0, ((1 - this.#tokens) * SECOND) / this.#rate)
  }

  #fill(now: Instant): void {
    if (now <= this.#filledAt) return
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) * this.#rate) / SECOND)
    this.#filledAt = now
  }

  /** The oldest packet of the port that has the most waiting gives way. */
  #makeRoom(): void {
    let longest: [number, Item[]] | undefined
    for (const entry of this.#queues) {
      if (longest === undefined || entry[1].length > longest[1].length) longest = entry
    }
    const [port, queue] = longest!
    queue.shift()
    if (queue.length === 0) this.#queues.delete(port)
    this.#waiting--
    this.dropped++
  }
}
