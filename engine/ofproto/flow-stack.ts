import { FLOW_WORDS, KEY_WORDS } from '../../protocols/flow-key.ts'

/** Room for a flow, and the part of it that is no packet's header. */
class Room {
  readonly all: Uint32Array
  readonly behindKey: Uint32Array

  constructor(words: Uint32Array) {
    this.all = words
    this.behindKey = words.subarray(KEY_WORDS)
  }
}

/**
 * Keeps what a packet was like before something changed it. Rooms stay for the next one: a view costs more than what
 * is copied by it.
 */
export class FlowStack {
  readonly #flow: Room
  readonly #rooms: Room[] = []
  #top = 0

  /** @param flow FLOW_WORDS words */
  constructor(flow: Uint32Array) {
    this.#flow = new Room(flow)
  }

  push(): void {
    this.#next().all.set(this.#flow.all)
  }

  /** Gives back what was kept last and not given back yet. */
  pop(): void {
    this.#flow.all.set(this.#rooms[--this.#top].all)
  }

  /** The same for what the packet carries from table to table. */
  pushBehindKey(): void {
    this.#next().behindKey.set(this.#flow.behindKey)
  }

  popBehindKey(): void {
    this.#flow.behindKey.set(this.#rooms[--this.#top].behindKey)
  }

  #next(): Room {
    if (this.#top === this.#rooms.length) this.#rooms.push(new Room(new Uint32Array(FLOW_WORDS)))
    return this.#rooms[this.#top++]
  }
}
