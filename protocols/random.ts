/**
 * A source of uniformly distributed 32-bit unsigned integers. Protocols and tables are given one, so that a
 * run can be repeated bit by bit.
 */
export type Random = () => number

/** A repeatable generator (splitmix32) for tests and simulations. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let z = state ^ (state >>> 16)
    z = Math.imul(z, 0x21f0aaad)
    z ^= z >>> 15
    z = Math.imul(z, 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }
}
