import { withRow } from './columns.ts'

/** Addresses in a block: of those in use, most have neighbours that are. */
const BLOCK_BITS = 6
const BLOCK = 1 << BLOCK_BITS

/**
 * Small numbers, from 0 on, by IPv4 address: where a Map would search among all of them, this looks in a block. There are
 * never more blocks than there were addresses at a time: one whose last address goes is there for others.
 */
export class AddressIndex {
  /** By the upper bits of its addresses. */
  readonly #blocks = new Map<number, number>()
  readonly #free: number[] = []
  /** Each greater by one; 0 for none. */
  #numbers = new Int32Array(0)
  /** Addresses of a block that have a number. */
  #counts = new Uint8Array(0)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** -1 for none. */
  get(address: number): number {
    const block = this.#blocks.get(address >>> BLOCK_BITS)
    return block === undefined ? -1 : this.#numbers[cell(block, address)] - 1
  }

  set(address: number, number: number): void {
    const block = this.#blocks.get(address >>> BLOCK_BITS) ?? this.#add(address >>> BLOCK_BITS)
    const at = cell(block, address)
    if (this.#numbers[at] === 0) {
      this.#counts[block]++
      this.#size++
    }
    this.#numbers[at] = number + 1
  }

  delete(address: number): void {
    const block = this.#blocks.get(address >>> BLOCK_BITS)
    if (block === undefined || this.#numbers[cell(block, address)] === 0) return
    this.#numbers[cell(block, address)] = 0
    this.#size--
    if (--this.#counts[block] > 0) return
    this.#blocks.delete(address >>> BLOCK_BITS)
    this.#free.push(block)
  }

  /** Blocks, those that are free again among them, for tests of the bounds. */
  get blocks(): number {
    return this.#blocks.size + this.#free.length
  }

  #add(upper: number): number {
    const block = this.#free.pop() ?? this.#blocks.size
    this.#blocks.set(upper, block)
    this.#numbers = withRow(this.#numbers, cell(block, BLOCK - 1))
    this.#counts = withRow(this.#counts, block)
    return block
  }
}

/** Where the number of an address stands in its block. */
function cell(block: number, address: number): number {
  return block * BLOCK + (address & (BLOCK - 1))
}
