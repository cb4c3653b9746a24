/**
 * Which counters the packets of each megaflow count towards: a node for each pair, in a list of its flow. Lists of
 * their own would be what a translation leaves behind, for the garbage collector to move about while they are young.
 */
import type { Instant } from '../../protocols/time.ts'
import type { PacketCounter } from '../ofproto/packet-counter.ts'

/** What ends a list, as in relation.ts. */
const NONE = 0
const NODES = 1024

export class CounterLists {
  /** Columns of nodes; free ones are chained, too. */
  readonly #counter: (PacketCounter | undefined)[] = new Array(NODES).fill(undefined)
  #next = new Int32Array(NODES)
  #free = NONE
  readonly #head: Int32Array

  /** @param flows flows at the most */
  constructor(flows: number) {
    this.#head = new Int32Array(flows)
    this.#chainFree(1)
  }

  /** Gives a flow, which has none, the first `count` of these. */
  put(f: number, counters: readonly PacketCounter[], count: number): void {
    for (let i = count - 1; i >= 0; i--) {
      if (this.#free === NONE) this.#grow()
      const node = this.#free
      this.#free = this.#next[node]
      this.#counter[node] = counters[i]
      this.#next[node] = this.#head[f]
      this.#head[f] = node
    }
  }

  credit(f: number, packets: number, bytes: number, used: Instant): void {
    for (let node = this.#head[f]; node !== NONE; node = this.#next[node]) {
      this.#counter[node]!.credit(packets, bytes, used)
    }
  }

  /** Takes a flow's away. */
  remove(f: number): void {
    for (let node = this.#head[f]; node !== NONE; ) {
      const next = this.#next[node]
      this.#counter[node] = undefined
      this.#next[node] = this.#free
      this.#free = node
      node = next
    }
    this.#head[f] = NONE
  }

  #grow(): void {
    const old = this.#next.length
    const next = new Int32Array(old * 2)
    next.set(this.#next)
    this.#next = next
    for (let i = old; i < old * 2; i++) this.#counter.push(undefined)
    this.#chainFree(old)
  }

  #chainFree(from: number): void {
    for (let node = this.#next.length - 1; node >= from; node--) {
      this.#next[node] = this.#free
      this.#free = node
    }
  }
}
