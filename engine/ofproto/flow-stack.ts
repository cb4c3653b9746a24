import { FLOW_WORDS } from '../../protocols/flow-key.ts'

/** Keeps what a packet was like before something changed it. A flow's words are so many that views of them pay. */
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
    this.#words.set(first === 0 ? flow : flow.subarray(first), this.#top)
    this.#top += FLOW_WORDS - first
  }

  /** Gives back those that were kept last and not given back yet. @param first as they were kept */
  pop(flow: Uint32Array, first: number): void {
    const end = this.#top
    this.#top -= FLOW_WORDS - first
    flow.set(this.#words.subarray(this.#top, end), first)
  }
}
