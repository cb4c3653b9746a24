/**
 * OpenFlow side by side with Open vSwitch's userspace datapath: rules a second, memory a rule, frames a second
 * through many rules and flows, first packets and packet-ins a second. Everything happens in a private world. Needs
 * root.
 */
import { runInPrivateWorld } from '../support/private-world.ts'
import type { Result } from '../support/result.ts'

const WORLD = new URL('./world.js', import.meta.url)

export interface Options {
  /** One of the parts in `world.ts`; all if not given. */
  readonly part?: string | undefined
  readonly rounds?: string | undefined
}

export function openflow(quick: boolean, { part, rounds }: Options = {}): Promise<Result[]> {
  const args = [quick && '--quick', part && `--part=${part}`, rounds && `--rounds=${rounds}`]
  return runInPrivateWorld(
    WORLD,
    args.filter((arg) => typeof arg === 'string'),
  )
}
