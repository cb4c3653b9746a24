/**
 * Where the programs of megaflows live: one growing array, cut into blocks of power-of-two sizes with a free
 * list each. A program never moves; its address stays good until it is freed, and its words until the store is
 * released: a program may end its own flow while it runs.
 */

const SMALLEST = 16
const CLASSES = 9

export class ProgramStore {
  /** Replaced by a larger array when it grows; read it anew after `put`. */
  code: Int32Array
  readonly #limit: number
  #top = 0
  /** Whether what is freed is to keep its words. */
  held = false
  /** Address and size of blocks freed while the store is held. */
  readonly #waiting: number[] = []
  readonly #free: number[][] = Array.from({ length: CLASSES }, () => [])

  /** @param limit words at the most */
  constructor(limit: number) {
    this.#limit = limit
    this.code = new Int32Array(Math.min(limit, 1 << 16))
  }

  /** Copies a program in; its address, or -1 when there is no room. */
  put(code: Int32Array, length: number): number {
    const size = classOf(length)
    if (size >= CLASSES) return -1
    let at = this.#free[size].pop() ?? -1
    if (at < 0) at = this.#take(SMALLEST << size)
    if (at < 0) return -1
    for (let i = 0; i < length; i++) this.code[at + i] = code[i]
    return at
  }

  free(at: number, length: number): void {
    if (this.held) this.#waiting.push(at, classOf(length))
    else this.#free[classOf(length)].push(at)
  }

  /** No program is running any more. */
  release(): void {
    this.held = false
    while (this.#waiting.length > 0)
      this.#free[this.#waiting.pop() as number].push(this.#waiting.pop() as number)
  }

  /** Forgets every program, and how the array was cut. The store is not held. */
  reset(): void {
    this.#top = 0
    for (const list of this.#free) list.length = 0
  }

  #take(words: number): number {
    if (this.#top + words > this.#limit) return -1
    if (this.#top + words > this.code.length) {
      const larger = new Int32Array(Math.min(this.#limit, this.code.length * 2))
      larger.set(this.code)
      this.code = larger
    }
    const at = this.#top
    this.#top += words
    return at
  }
}

function classOf(length: number): number {
  let size = 0
  while (SMALLEST << size < length) size++
  return size
}
