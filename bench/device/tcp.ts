/** TCP by iperf3. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Network } from '../peers/peer.ts'

const run = promisify(execFile)
/** Until the server listens. */
const START_MS = 150
/** After which a transfer that makes no headway is given up. */
const GRACE_MS = 5000

export interface TcpOptions {
  readonly streams: number
  /** From the server to the client. */
  readonly reverse: boolean
  readonly seconds: number
}

/** Gbit/s that arrived; 0 when TCP does not get through. */
export async function tcp({ from, to }: Network, { streams, reverse, seconds }: TcpOptions): Promise<number> {
  const server = spawn('ip', ['netns', 'exec', to.namespace, 'iperf3', '-s', '-1'], { stdio: 'ignore' })
  const ended = once(server, 'exit')
  try {
    await sleep(START_MS)
    const how = ['-P', String(streams), '-t', String(seconds), '-O', '0.3', '-J']
    if (reverse) how.push('-R')
    const { stdout } = await run(
      'ip',
      ['netns', 'exec', from.namespace, 'iperf3', '-c', to.address, ...how],
      {
        timeout: seconds * 1000 + GRACE_MS,
        killSignal: 'SIGKILL',
      },
    )
    return JSON.parse(stdout).end.sum_received.bits_per_second / 1e9
  } catch {
    return 0
  } finally {
    server.kill('SIGKILL')
    await ended
  }
}
