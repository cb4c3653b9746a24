/** Round-trip times by ping, one request at a time. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Network } from '../peers/peer.ts'

const run = promisify(execFile)
/** The first few find caches and ARP tables empty. */
const WARM_UP = 20

export interface RoundTrips {
  /** Microseconds. */
  readonly p50: number
  readonly p99: number
}

export async function roundTrips({ from, to }: Network, count: number): Promise<RoundTrips> {
  const options = ['-i', '0.002', '-c', String(count + WARM_UP), to.address]
  const { stdout } = await run('ip', ['netns', 'exec', from.namespace, 'ping', ...options], {
    maxBuffer: 1 << 24,
  })
  const times = [...stdout.matchAll(/time=([\d.]+) ms/g)].slice(WARM_UP).map((m) => Number(m[1]) * 1000)
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor((times.length - 1) * share)] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99) }
}
