/** Generation ids of role requests: only one that is not older than the last is heeded (OpenFlow 1.3.1 §6.3.4). */
export class Roles {
  #last: bigint | undefined

  get generationId(): bigint | undefined {
    return this.#last
  }

  /** Whether a request of this generation counts; ids are compared as if on a circle, as signed differences. */
  accept(id: bigint): boolean {
    if (this.#last !== undefined && BigInt.asIntN(64, id - this.#last) < 0n) return false
    this.#last = id
    return true
  }
}
