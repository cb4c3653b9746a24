/**
 * Throughput without loss, latency, loss and bursts by the rules of RFC 2544 (with the tolerance of RFC 8204 for a
 * machine that is shared), and the address table by those of RFC 2889; beside the kernel's bridge and Open vSwitch.
 */
import { runInPrivateWorld } from '../support/private-world.ts'
import type { Result } from '../support/result.ts'

const WORLD = new URL('./world.js', import.meta.url)

export function rfc2544(quick: boolean): Promise<Result[]> {
  return runInPrivateWorld(WORLD, quick ? ['--quick'] : [])
}
