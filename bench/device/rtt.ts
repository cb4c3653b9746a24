/** Round-trip times by ping, one request at a time. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Network } from '../peers/peer.ts'
import { type Percentiles, percentiles } from '../support/percentiles.ts'

const run = promisify(execFile)
/** The first few find caches and ARP tables empty. */
const WARM_UP = 20

/** Microseconds. */
export async function roundTrips({ from, to }: Network, count: number): Promise<Percentiles> {
  const options = ['-i', '0.002', '-c', String(count + WARM_UP), to.address]
  const { stdout } = await run('ip', ['netns', 'exec', from.namespace, 'ping', ...options], {
    maxBuffer: 1 << 24,
  })
  const times = [...stdout.matchAll(/time=([\d.]+) ms/g)].slice(WARM_UP).map((m) => Number(m[1]) * 1000)
  times.sort((a, b) => a - b)
  return percentiles(times)
}
