import { getHeapStatistics } from 'node:v8'

/** Frames over which allocation is counted. */
const FRAMES = 1 << 20

/**
 * Bytes allocated on the JavaScript heap for each frame that `turn` forwards, as the heap statistics tell.
 * Zero means that no garbage collection will ever interrupt forwarding. Node must be started with --expose-gc
 * and a semi-space large enough that no collection falls into a round (--max-semi-space-size=128).
 * @param frames how many frames one call forwards
 */
export function allocatedPerFrame(turn: () => number, frames: number): number {
  const collect = (globalThis as { gc?: () => void }).gc
  if (collect === undefined) throw new Error('run with node --expose-gc')
  let least = Number.NaN
  // Compilation by V8 allocates too; the least of a few rounds is the program's own.
  for (let round = 0; round < 3; round++) {
    collect()
    const before = getHeapStatistics().used_heap_size
    for (let n = 0; n < FRAMES; n += frames) turn()
    const grown = getHeapStatistics().used_heap_size - before
    // A heap that has shrunk was collected; such a round tells nothing.
    if (grown >= 0 && !(grown / FRAMES >= least)) least = grown / FRAMES
  }
  return least
}
