import { withRow } from './columns.ts'

/** Addresses in a block: of those in use, most have neighbours that are. */
const BLOCK_BITS = 6
const BLOCK = 1 << BLOCK_BITS

/** Small numbers, from 0 on, by IPv4 address: where a Map would search among all of them, this looks in a block. */
export class AddressIndex {
  /** Where the numbers of a block begin, by the upper bits of its addresses. */
  readonly #blocks = new Map<number, number>()
  /** Each greater by one; 0 for none. */
  #numbers = new Int32Array(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** -1 for none. */
  get(address: number): number {
    const block = this.#blocks.get(address >>> BLOCK_BITS)
    return block === undefined ? -1 : this.#numbers[block + (address & (BLOCK - 1))] - 1
  }

  set(address: number, number: number): void {
    let block = this.#blocks.get(address >>> BLOCK_BITS)
    if (block === undefined) {
      block = this.#blocks.size * BLOCK
      this.#blocks.set(address >>> BLOCK_BITS, block)
      this.#numbers = withRow(this.#numbers, block + BLOCK - 1)
    }
    const at = block + (address & (BLOCK - 1))
    if (this.#numbers[at] === 0) this.#size++
    this.#numbers[at] = number + 1
  }

  delete(address: number): void {
    if (this.get(address) < 0) return
    this.set(address, -1)
    this.#size--
  }
}
