/**
 * OpenFlow side by side with Open vSwitch's userspace datapath: rules a second, memory a rule, frames a second
 * through many rules and flows, first packets and packet-ins a second. Everything happens in a world of its own
 * (PIDs, network, mounts), which ends with its first process. Needs root.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Result } from '../support/result.ts'

const WORLD = fileURLToPath(new URL('./world.js', import.meta.url))
const UNSHARE = ['--pid', '--fork', '--net', '--mount', '--mount-proc', '--kill-child']

export async function openflow(quick: boolean): Promise<Result[]> {
  const shell = ['sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$@"', 'sh', 'node', WORLD]
  const args = [...UNSHARE, ...shell, ...(quick ? ['--quick'] : [])]
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = once(child, 'exit')
  const output = await text(child.stdout)
  const [code] = await exit
  if (code !== 0) throw new Error(`the measurements ended with code ${code}`)
  return JSON.parse(output)
}
