/** Frames from the one TAP to the other, and from there to a controller. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { received } from '../peers/peer.ts'
import type { Figures } from '../support/figures.ts'
import { Client, encodeRules } from './client.ts'
import { BRIDGE, type Peer } from './peers.ts'
import { EXACT, fiveTuples, rules } from './rules.ts'

const run = promisify(execFile)
const BLAST = fileURLToPath(new URL('./blast-flows.js', import.meta.url))
/** After the first frames of all flows have been sent, for caches and revalidators to come to rest. */
const REST_MS = 700

export interface Load {
  readonly rules: number
  /** One where rules are of whole 5-tuples. */
  readonly masks: number
  readonly fiveTuples?: true
  readonly flows: number
}

async function program(peer: Peer, lines: readonly string[]): Promise<void> {
  await run('ovs-ofctl', ['del-flows', BRIDGE], { env: peer.env })
  const client = await Client.connect(peer.socket)
  await client.send(encodeRules(lines))
  if (client.errors > 0) throw new Error(`${peer.name} has refused ${client.errors} rules`)
  await client.close()
}

/** Traffic goes on while `work` is done. */
async function blasting<T>(peer: Peer, load: Load, work: (warm: Promise<unknown>) => Promise<T>): Promise<T> {
  const { namespace, device } = peer.from
  const numbers = [load.flows, load.rules, load.masks].map(String)
  const child = spawn('node', [BLAST, namespace, device, ...numbers], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const warm = once(child.stdout, 'data')
  try {
    return await work(warm)
  } finally {
    await end(child)
  }
}

/** Its sender must be gone before a TAP goes. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}

/** How much a count grows in a second. */
async function rate(ms: number, count: () => number): Promise<number> {
  const [from, begin] = [count(), performance.now()]
  await sleep(ms)
  return ((count() - from) * 1000) / (performance.now() - begin)
}

export async function forwarding(peer: Peer, load: Load, ms: number, figures: Figures): Promise<void> {
  await program(peer, load.fiveTuples ? fiveTuples(load.rules) : rules(load.rules, load.masks))
  const frames = await blasting(peer, load, async (warm) => {
    await warm
    await sleep(REST_MS)
    return rate(ms, () => received(peer.to))
  })
  const kind = load.fiveTuples ? '5-tuple rules' : `rules of ${load.masks} masks`
  const figure = `forwarded, ${load.rules} ${kind}, ${load.flows} flows`
  figures.add(peer.name, figure, frames / 1000, 'kpps')
}

/** Every frame is the first of its flow. */
export async function upcalls(peer: Peer, ms: number, figures: Figures): Promise<void> {
  await program(peer, EXACT)
  const frames = await blasting(peer, { rules: 1, masks: 1, flows: 0 }, async (warm) => {
    await warm
    return rate(ms, () => received(peer.to))
  })
  figures.add(peer.name, 'first packets, a new 5-tuple each', frames / 1000, 'kpps')
}

export async function packetIns(peer: Peer, ms: number, figures: Figures): Promise<void> {
  await program(peer, ['priority=1,udp,actions=controller'])
  const client = await Client.connect(peer.socket)
  await client.listen()
  const messages = await blasting(peer, { rules: 1, masks: 1, flows: 1000 }, async (warm) => {
    await warm
    await sleep(REST_MS)
    return rate(ms, () => client.packetIns)
  })
  await client.close()
  figures.add(peer.name, 'packet-ins to a controller', messages / 1000, 'k/s')
}
