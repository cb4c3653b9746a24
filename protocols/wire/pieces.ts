/**
 * Memory for messages of some hundred bytes, cut off larger blocks one behind the other: a buffer of its own costs each
 * of them more than everything else that is done with it. A block lives as long as any message in it.
 */
const BLOCK = 1 << 13
const LARGEST = BLOCK >> 3

let block = new Uint8Array(BLOCK)
let used = 0

/** So many zeros that are nobody else's. */
export function piece(length: number): Uint8Array {
  if (length > LARGEST) return new Uint8Array(length)
  if (used + length > BLOCK) {
    block = new Uint8Array(BLOCK)
    used = 0
  }
  const from = used
  used += (length + 7) & ~7
  return block.subarray(from, from + length)
}
