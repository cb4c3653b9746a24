/** A loop in C that reads and writes frames and does nothing else, built where there is a compiler. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { addNamespaces, BESIDE, equip, INSIDE, ip, lacking, macOf, type Peer } from './peer.ts'

const SOURCE = fileURLToPath(new URL('../../../bench/peers/copy-loop.c', import.meta.url))
const PROGRAM = '/run/copy-loop'
const present = (device: string) => existsSync(`/proc/sys/net/ipv4/conf/${device}`)

export const copyLoop: Peer = {
  name: 'C, read()/write(), no switch, tap',
  missing: lacking('cc'),
  start: async () => {
    if (!existsSync(PROGRAM)) execFileSync('cc', ['-O2', '-o', PROGRAM, SOURCE])
    addNamespaces('a', 'b')
    const child = spawn(PROGRAM, ['t1', 't2'], { stdio: 'ignore' })
    while (!present('t1') || !present('t2')) {
      if (child.exitCode !== null) throw new Error('the loop has ended')
      await sleep(10)
    }
    const from = equip('t1', 'a', INSIDE)
    const to = equip('t2', 'b', BESIDE)
    return {
      from,
      to,
      nextHop: macOf(to),
      pids: [child.pid as number],
      stop: async () => {
        child.kill('SIGTERM')
        while (child.exitCode === null && child.signalCode === null) await sleep(10)
        for (const name of ['a', 'b']) ip('netns', 'del', name)
      },
    }
  },
}
