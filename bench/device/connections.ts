/**
 * New TCP connections a second: a client opens and resets them, many at once, a server accepts them. Both are small
 * programs that call the kernel directly, so that it is the switch that is measured.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Network } from '../peers/peer.ts'

const CLIENT = fileURLToPath(new URL('./connect.js', import.meta.url))
const SERVER = fileURLToPath(new URL('./accept.js', import.meta.url))
const PORT = 7777

export async function connections({ from, to }: Network, seconds: number): Promise<number> {
  const inside = (namespace: string, ...args: string[]) =>
    spawn('ip', ['netns', 'exec', namespace, process.execPath, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  const server = inside(to.namespace, SERVER, String(PORT))
  const gone = once(server, 'exit')
  try {
    await once(server.stdout, 'data')
    const client = inside(from.namespace, CLIENT, to.address, String(PORT), String(seconds))
    return Number(await text(client.stdout))
  } finally {
    server.kill('SIGKILL')
    await gone
    await sleep(100)
  }
}
