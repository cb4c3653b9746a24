/**
 * Over real devices, side by side with the switches that people use: TCP, small frames, round trips, new
 * connections, processor time, memory. Everything happens in a private world. Needs root, iproute2 and iperf3.
 */
import { runInPrivateWorld } from '../support/private-world.ts'
import type { Result } from '../support/result.ts'

const WORLD = new URL('./world.js', import.meta.url)

/** @param more options of `world.ts`: `--peer NAME`, `--figure NAME`, `--rounds N` */
export function device(quick: boolean, more: readonly string[] = []): Promise<Result[]> {
  return runInPrivateWorld(WORLD, [...(quick ? ['--quick'] : []), ...more])
}
