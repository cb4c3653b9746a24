/**
 * How the switch grows: with ports, flows, stations and NAT sessions in memory, and, beside Open vSwitch over
 * TAPs, what a flood of new flows does to one that is under way.
 */

import { measureInMemory } from '../pipeline/bundled.ts'
import { runInPrivateWorld } from '../support/private-world.ts'
import { leftOut, type Result } from '../support/result.ts'

const FLOOD = new URL('./flood.js', import.meta.url)

export async function growth(quick: boolean): Promise<Result[]> {
  const results = measureInMemory('growth', quick)
  const flood = await runInPrivateWorld<Result[]>(FLOOD, quick ? ['--quick'] : []).catch((error: Error) => [
    leftOut('flood of new flows', error.message),
  ])
  return [...results, ...flood]
}
