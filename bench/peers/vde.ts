/** vde_switch: a learning switch in userspace, between two TAPs. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { addNamespaces, BESIDE, equip, INSIDE, ip, lacking, macOf, type Peer } from './peer.ts'

const present = (device: string) => existsSync(`/proc/sys/net/ipv4/conf/${device}`)

export const vde: Peer = {
  name: 'vde_switch, tap',
  missing: lacking('vde_switch'),
  start: async () => {
    addNamespaces('a', 'b')
    // Its console is its standard input, at whose end it would leave.
    const child = spawn('vde_switch', ['-s', '/run/vde', '-t', 't1', '-t', 't2'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    while (!present('t1') || !present('t2')) {
      if (child.exitCode !== null) throw new Error('vde_switch has ended')
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
