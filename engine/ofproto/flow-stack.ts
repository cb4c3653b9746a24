import { FLOW_WORDS } from '../../protocols/flow-key.ts'

/** Keeps what a packet was like before something changed it, without making anything new for each. */
export class FlowStack {
  #words = new Uint32Array(8 * FLOW_WORDS)
  #top = 0

  /** Keeps the words of a flow from this one on. */
  push(flow: Uint32Array, first: number): void {
    if (this.#top + FLOW_WORDS > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2)
      larger.set(this.#words)
      this.#words = larger
    }
    const words = this.#words
    let at = this.#top
    for (let w = first; w < FLOW_WORDS; w++) words[at++] = flow[w]
    this.#top = at
  }

  /** Gives back those that were kept last and not given back yet. @param first as they were kept */
  pop(flow: Uint32Array, first: number): void {
    const words = this.#words
    let at = this.#top
    for (let w = FLOW_WORDS - 1; w >= first; w--) flow[w] = words[--at]
    this.#top = at
  }
}
