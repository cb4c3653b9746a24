/** How long it takes from nothing to a bridge of two ports, and in how much memory. Needs root. */
import { runInPrivateWorld } from '../support/private-world.ts'
import type { Result } from '../support/result.ts'

const WORLD = new URL('./world.js', import.meta.url)

export function start(quick: boolean): Promise<Result[]> {
  return runInPrivateWorld(WORLD, quick ? ['--quick'] : [])
}
