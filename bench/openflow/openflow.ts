/**
 * OpenFlow side by side with Open vSwitch's userspace datapath: rules a second, memory a rule, frames a second
 * through many rules and flows, first packets and packet-ins a second. Everything happens in a private world. Needs
 * root.
 */
import { runInPrivateWorld } from '../support/private-world.ts'
import type { Result } from '../support/result.ts'

const WORLD = new URL('./world.js', import.meta.url)

export function openflow(quick: boolean): Promise<Result[]> {
  return runInPrivateWorld(WORLD, quick ? ['--quick'] : [])
}
