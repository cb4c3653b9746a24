/** 64-byte frames from one host to the other: how many arrive a second, and what a million of them costs the switch. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuSeconds, macOf, type Network, received } from '../peers/peer.ts'
import { SENDER_CPU } from '../support/processors.ts'

const BLAST = fileURLToPath(new URL('./blast.js', import.meta.url))
/** Frames still on their way when the clock starts or stops. */
const SETTLE_MS = 50

export interface SmallFrames {
  /** Thousand frames a second that were sent. */
  readonly offered: number
  /** Thousand frames a second that arrived. */
  readonly arrived: number
  /** Seconds of the switch processes' time for a million frames that arrived; undefined if there are none. */
  readonly cpu: number | undefined
}

export async function smallFrames(network: Network, flows: number, seconds: number): Promise<SmallFrames> {
  const { from, to, nextHop, pids } = network
  execFileSync('ip', ['netns', 'exec', from.namespace, 'ping', '-c', '1', '-W', '2', to.address], {
    stdio: 'ignore',
  })
  const address = [from.namespace, from.device, nextHop, macOf(from), to.address]
  const child = spawn(
    'taskset',
    ['-c', SENDER_CPU, process.execPath, BLAST, ...address, String(flows), String(seconds)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exit = once(child, 'exit')
  child.stdout.setEncoding('utf8')
  let output = ''
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (text: string) => {
      output += text
      resolve()
    })
    child.once('exit', () => resolve())
  })
  await sleep(SETTLE_MS)
  const [count, cpu, begin] = [received(to), cpuSeconds(pids), performance.now()]
  await sleep(seconds * 1000 - 3 * SETTLE_MS)
  const [frames, used, took] = [
    received(to) - count,
    cpuSeconds(pids) - cpu,
    (performance.now() - begin) / 1000,
  ]
  const [code] = await exit
  if (code !== 0) throw new Error(`the sender of small frames has ended with code ${code}`)
  const report = JSON.parse(output.slice(output.indexOf('{'))) as { sent: number; seconds: number }
  return {
    offered: report.sent / report.seconds / 1000,
    arrived: frames / took / 1000,
    cpu: pids.length === 0 || frames === 0 ? undefined : (used / frames) * 1e6,
  }
}
