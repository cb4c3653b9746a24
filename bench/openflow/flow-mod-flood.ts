/** Loss and latency of steady traffic while a controller sends flow-mods as fast as they are taken. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { macOf } from '../peers/peer.ts'
import { Tester } from '../rfc2544/tester.ts'
import type { Figures } from '../support/figures.ts'
import { percentiles } from '../support/percentiles.ts'
import { Client, encodeRules } from './client.ts'
import type { Peer } from './peers.ts'

const BLAST = fileURLToPath(new URL('./blast-rules.js', import.meta.url))
const STEADY = ['priority=60000,udp,actions=output:2']
/** Frames a second of the steady traffic. */
const RATE = 10_000

export async function flowModFlood(peer: Peer, seconds: number, figures: Figures): Promise<void> {
  const client = await Client.connect(peer.socket)
  await client.send(encodeRules(STEADY))
  await client.close()
  const { from, to } = peer
  const tester = new Tester({ from, to, nextHop: macOf(to) })
  try {
    measure(peer, tester, seconds, 'at rest', figures)
    const child = spawn(process.execPath, [BLAST, peer.socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    child.stdout.setEncoding('utf8')
    await once(child.stdout, 'data')
    measure(peer, tester, seconds, 'while flow-mods flood in', figures)
    const told = once(child.stdout, 'data')
    child.kill('SIGTERM')
    const { rate } = JSON.parse((await told)[0] as string) as { rate: number }
    figures.add(peer.name, 'flow-mods taken beside traffic', rate, '/s')
  } finally {
    tester.close()
  }
}

function measure(peer: Peer, tester: Tester, seconds: number, when: string, figures: Figures): void {
  const { sent, received, latencies } = tester.run({ size: 64, rate: RATE, seconds })
  const { p50, p99 } = percentiles(latencies)
  figures.add(peer.name, `loss ${when}`, (1 - received / sent) * 100, '%', true)
  figures.add(peer.name, `latency p50 ${when}`, p50, 'µs', true)
  figures.add(peer.name, `latency p99 ${when}`, p99, 'µs', true)
}
