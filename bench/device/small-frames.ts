/**
 * 64-byte frames from one host to the other: how many arrive a second, and what a million of them costs the switch; and
 * how many datagrams of one flow reach the application that is their receiver.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuSeconds, macOf, type Network, received } from '../peers/peer.ts'

const SINK = fileURLToPath(new URL('./sink.js', import.meta.url))
/** The first that datagrams are sent to; see blast.ts. */
const PORT = 5000
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

export function smallFrames(network: Network, flows: number, seconds: number): Promise<SmallFrames> {
  return blast(network, [String(flows), String(seconds)], seconds, () => received(network.to))
}

/** The same with datagrams that can be put together, counted where each is one again: at a socket. */
export async function datagrams(network: Network, seconds: number): Promise<SmallFrames> {
  const { namespace } = network.to
  const sink = spawn('ip', ['netns', 'exec', namespace, process.execPath, SINK, String(PORT)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(sink.stdout, 'data')
    return await blast(network, ['1', String(seconds), 'checksum'], seconds, () => atSockets(namespace))
  } finally {
    sink.kill('SIGKILL')
  }
}

/** UDP datagrams that have come to sockets of a namespace, found room there or not. */
function atSockets(namespace: string): number {
  const lines = execFileSync('ip', ['netns', 'exec', namespace, 'cat', '/proc/net/snmp'], {
    encoding: 'utf8',
  })
  const [names, values] = lines.split('\n').filter((line) => line.startsWith('Udp:'))
  const at = (name: string) => Number(values!.split(' ')[names!.split(' ').indexOf(name)])
  return at('InDatagrams') + at('RcvbufErrors')
}

/**
 * Has a host say nothing of frames that no program there waits for: working that out would cost it, and so whoever
 * hands the frame over, as much as the frame itself. Kernels before 6.13 have no such setting for a single host.
 */
function keepQuiet(namespace: string): void {
  const setting = ['sysctl', '-q', '-w', 'net.ipv4.icmp_msgs_per_sec=0']
  spawnSync('ip', ['netns', 'exec', namespace, ...setting], { stdio: 'ignore' })
}

async function blast(
  network: Network,
  how: readonly string[],
  seconds: number,
  count: () => number,
): Promise<SmallFrames> {
  const { from, to, nextHop, pids } = network
  keepQuiet(to.namespace)
  execFileSync('ip', ['netns', 'exec', from.namespace, 'ping', '-c', '1', '-W', '2', to.address], {
    stdio: 'ignore',
  })
  const address = [from.namespace, from.device, nextHop, macOf(from), to.address]
  const child = spawn(process.execPath, [BLAST, ...address, ...how], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
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
  const [before, cpu, begin] = [count(), cpuSeconds(pids), performance.now()]
  await sleep(seconds * 1000 - 3 * SETTLE_MS)
  const [frames, used, took] = [count() - before, cpuSeconds(pids) - cpu, (performance.now() - begin) / 1000]
  const [code] = await exit
  if (code !== 0) throw new Error(`the sender of small frames has ended with code ${code}`)
  const report = JSON.parse(output.slice(output.indexOf('{'))) as { sent: number; seconds: number }
  return {
    offered: report.sent / report.seconds / 1000,
    arrived: frames / took / 1000,
    cpu: pids.length === 0 || frames === 0 ? undefined : (used / frames) * 1e6,
  }
}
