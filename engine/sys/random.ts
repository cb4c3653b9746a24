import { randomFillSync } from 'node:crypto'
import type { Random } from '../../protocols/random.ts'

/**
 * A source of 32-bit numbers nobody can predict (ports and identifiers chosen by NAT and protocols must be,
 * RFC 6056): the system's generator, drawn in pools so that a number costs an array access.
 */
export function systemRandom(): Random {
  const pool = new Uint32Array(1024)
  let next = pool.length
  return () => {
    if (next === pool.length) {
      randomFillSync(pool)
      next = 0
    }
    const value = pool[next]
    // A number given out is not left lying in memory.
    pool[next++] = 0
    return value
  }
}
