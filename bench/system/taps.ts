/**
 * Over real devices, in turn with the kernel's bridge in the same run: TCP by iperf3 and small frames by
 * `blast.ts`. Needs root, iproute2 and iperf3.
 */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Result } from '../support/result.ts'
import { ip, kernelBridge, ourBridge, ourSnat, type Pair } from './networks.ts'

const run = promisify(execFile)
const BLAST = fileURLToPath(new URL('./blast.js', import.meta.url))

interface Figures {
  /** Gbit/s by round. */
  readonly tcp: number[]
  /** Thousand frames received a second, by round. */
  readonly kpps: number[]
}

export async function taps(quick: boolean): Promise<Result[]> {
  const rounds = quick ? 1 : 3
  const seconds = quick ? 1 : 3
  const frames = quick ? 200_000 : 1_000_000
  const figures = new Map<string, Figures>()
  for (let round = 0; round < rounds; round++) {
    for (const network of [ourBridge, kernelBridge, ourSnat]) {
      const pair = network()
      try {
        const of = figures.get(pair.name) ?? { tcp: [], kpps: [] }
        figures.set(pair.name, of)
        of.tcp.push(await tcp(pair, seconds))
        if (network !== ourSnat) of.kpps.push(await blast(pair, frames))
      } finally {
        pair.stop()
      }
    }
  }
  const peer = figures.get('kernel bridge, veth') as Figures
  return [...figures].flatMap(([name, of]) => [
    ...figure(name, 'TCP, 1 stream', of.tcp, peer.tcp, 'Gbit/s'),
    ...figure(name, '64 B received', of.kpps, peer.kpps, 'kpps'),
  ])
}

function figure(bench: string, what: string, values: number[], peer: number[], unit: string): Result[] {
  if (values.length === 0) return []
  const ratios = values.map((v, i) => v / peer[i])
  const range = `min ${Math.min(...values).toFixed(1)}, max ${Math.max(...values).toFixed(1)}`
  const note = `${range}; ${median(ratios).toFixed(2)}× kernel bridge`
  return [{ bench, figure: what, value: median(values), unit, note }]
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}

async function tcp(pair: Pair, seconds: number): Promise<number> {
  const server = spawn('ip', ['netns', 'exec', pair.to, 'iperf3', '-s', '-1'], { stdio: 'ignore' })
  try {
    await sleep(300)
    const args = ['netns', 'exec', pair.from, 'iperf3', '-c', pair.address, '-t', String(seconds), '-J']
    const { stdout } = await run('ip', args)
    return JSON.parse(stdout).end.sum_received.bits_per_second / 1e9
  } finally {
    server.kill()
  }
}

async function blast(pair: Pair, frames: number): Promise<number> {
  execFileSync('ip', ['netns', 'exec', pair.from, 'ping', '-c', '1', '-W', '2', pair.address], {
    stdio: 'ignore',
  })
  const [dst, src] = [link(pair.to).address, link(pair.from).address]
  const before = link(pair.to).received
  const { stdout } = await run('node', [BLAST, pair.from, 'eth0', dst, src, String(frames)])
  const { seconds } = JSON.parse(stdout) as { seconds: number }
  return (link(pair.to).received - before) / seconds / 1000
}

function link(namespace: string): { address: string; received: number } {
  const [found] = JSON.parse(ip('-n', namespace, '-s', '-j', 'link', 'show', 'eth0'))
  return { address: found.address, received: found.stats64.rx.packets }
}
