/** Bytes of a message that are nobody's concern: a thousand clients may well have them. */
const SMALL = 2 ** 16

/** The memory that the clients of a server together may take up with messages that are not whole yet. */
export class ReceiveBudget {
  readonly #limit: number
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /**
   * Takes note that what has come of a message takes `after` bytes in place of `before`. False: there is no room
   * for it, and it should be given up, which is noted as 0 bytes.
   */
  resize(before: number, after: number): boolean {
    this.#used += counted(after) - counted(before)
    return counted(after) === 0 || this.#used <= this.#limit
  }
}

function counted(bytes: number): number {
  return bytes <= SMALL ? 0 : bytes
}
