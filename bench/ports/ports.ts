/** How soon ports are there that ovs-vsctl and others add, beside none and beside many. Needs root. */
import { runInPrivateWorld } from '../support/private-world.ts'
import type { Result } from '../support/result.ts'

const WORLD = new URL('./world.js', import.meta.url)

export function ports(quick: boolean): Promise<Result[]> {
  return runInPrivateWorld(WORLD, quick ? ['--quick'] : [])
}
