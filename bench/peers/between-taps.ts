/** Programs that make two TAPs by themselves and carry frames between them. */
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { endProcess } from '../support/end-process.ts'
import { addNamespaces, BESIDE, equip, INSIDE, ip, macOf, type Network } from './peer.ts'

/** Names of the TAPs until they belong to the hosts. */
export const TAPS = ['t1', 't2'] as const

const present = (device: string) => existsSync(`/proc/sys/net/ipv4/conf/${device}`)

/** @param child begins to make the TAPs */
export async function betweenTaps(child: ChildProcess): Promise<Network> {
  addNamespaces('a', 'b')
  while (!TAPS.every(present)) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} has ended`)
    await sleep(10)
  }
  const from = equip(TAPS[0], 'a', INSIDE)
  const to = equip(TAPS[1], 'b', BESIDE)
  return {
    from,
    to,
    nextHop: macOf(to),
    pids: [child.pid as number],
    stop: async () => {
      await endProcess(child)
      for (const name of ['a', 'b']) ip('netns', 'del', name)
    },
  }
}
