/**
 * Which megaflows stand under which tags (see ofproto/tags.ts): a node for each pair, in a list of its flow and
 * in a list of its tag.
 */
import { TAG_COUNT } from '../ofproto/tags.ts'

/** What ends a list. There is no node 0, so that a table nobody has written to yet is all empty lists and takes no memory. */
export const NO_NODE = 0
const NODES = 1024

export class TagLists {
  /** Columns of nodes: the flow, and the station whose frames it carries and which the tag stands for, or 0. */
  flow = new Int32Array(NODES)
  station = new Uint32Array(NODES)
  #tag = new Uint32Array(NODES)
  /** The next node of the same tag, of the same flow; NO_NODE at the end. Free nodes are chained as of one tag. */
  nextOfTag = new Int32Array(NODES)
  nextOfFlow = new Int32Array(NODES)
  #previousOfTag = new Int32Array(NODES)
  #free = NO_NODE
  readonly #headOfTag = new Int32Array(TAG_COUNT)
  readonly #headOfFlow: Int32Array

  /** @param flows flows at the most */
  constructor(flows: number) {
    this.#headOfFlow = new Int32Array(flows)
    this.#chainFree(1)
  }

  /** The first node of a tag, or NO_NODE. */
  ofTag(tag: number): number {
    return this.#headOfTag[tag]
  }

  /** The first node of a flow, or NO_NODE. */
  ofFlow(f: number): number {
    return this.#headOfFlow[f]
  }

  add(f: number, tag: number, station: number): void {
    if (this.#free === NO_NODE) this.#grow()
    const node = this.#free
    this.#free = this.nextOfTag[node]
    const head = this.#headOfTag[tag]
    this.flow[node] = f
    this.#tag[node] = tag
    this.station[node] = station
    this.nextOfTag[node] = head
    this.#previousOfTag[node] = NO_NODE
    if (head !== NO_NODE) this.#previousOfTag[head] = node
    this.#headOfTag[tag] = node
    this.nextOfFlow[node] = this.#headOfFlow[f]
    this.#headOfFlow[f] = node
  }

  /** Takes a flow from under all its tags. */
  remove(f: number): void {
    for (let node = this.#headOfFlow[f]; node !== NO_NODE; ) {
      const nextOfFlow = this.nextOfFlow[node]
      const previous = this.#previousOfTag[node]
      const next = this.nextOfTag[node]
      if (previous === NO_NODE) this.#headOfTag[this.#tag[node]] = next
      else this.nextOfTag[previous] = next
      if (next !== NO_NODE) this.#previousOfTag[next] = previous
      this.nextOfTag[node] = this.#free
      this.#free = node
      node = nextOfFlow
    }
    this.#headOfFlow[f] = NO_NODE
  }

  #grow(): void {
    const old = this.flow.length
    const grown = <T extends Int32Array | Uint32Array>(from: T, to: T): T => {
      to.set(from)
      return to
    }
    const size = old * 2
    this.flow = grown(this.flow, new Int32Array(size))
    this.station = grown(this.station, new Uint32Array(size))
    this.#tag = grown(this.#tag, new Uint32Array(size))
    this.nextOfTag = grown(this.nextOfTag, new Int32Array(size))
    this.nextOfFlow = grown(this.nextOfFlow, new Int32Array(size))
    this.#previousOfTag = grown(this.#previousOfTag, new Int32Array(size))
    this.#chainFree(old)
  }

  #chainFree(from: number): void {
    for (let n = this.flow.length - 1; n >= from; n--) {
      this.nextOfTag[n] = this.#free
      this.#free = n
    }
  }
}
