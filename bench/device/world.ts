/**
 * One switch, brought up, measured over real devices and taken down; to be run in a private world (see `device.ts`).
 * Prints a `Turn` as JSON.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Network, resident } from '../peers/peer.ts'
import { Disturbance } from '../support/disturbance.ts'
import { pin, SENDER_CPU, SWITCH_CPU } from '../support/processors.ts'
import { isWanted } from '../support/wanted.ts'
import { withCongestionControl } from './congestion-control.ts'
import { connections } from './connections.ts'
import { BRIDGES, OFFLOADS, ROUTERS } from './peers.ts'
import { roundTrips } from './rtt.ts'
import { datagrams, smallFrames } from './small-frames.ts'
import { tcp } from './tcp.ts'
import type { Reading, Turn } from './turn.ts'

/** Share of the machine's processors that others may take before a figure counts for nothing. */
const TOLERABLE = 0.05
/** How often a disturbed figure is tried again. */
const TRIES = 3

/** Seconds of TCP before anything is measured, so that what compiles itself while it runs has done so. */
const WARM_UP = 3

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    figure: { type: 'string', multiple: true },
  },
})
const [name] = positionals
const seconds = options.quick ? 1 : 2

interface Figure {
  readonly name: string
  /** Others do not change it, however busy they are. */
  readonly calm?: true
  measure(network: Network): Promise<Reading[]>
}

function transfer(figure: string, streams: number, reverse: boolean, control?: string): Figure {
  return {
    name: figure,
    measure: async (network) => {
      const measure = () => tcp(network, { streams, reverse, seconds })
      const { from, to } = network
      const value = await (control === undefined
        ? measure()
        : withCongestionControl([from, to], control, measure))
      return [{ figure, value, unit: 'Gbit/s' }]
    },
  }
}

/**
 * What paces its segments (BBR) waits for timers where others only wait for the switch; so where the machine's default
 * is another than Linux's, that is measured, too.
 */
function byDefaultOfLinux(): Figure[] {
  const own = readFileSync('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8').trim()
  return own === 'cubic' ? [] : [transfer('TCP, 1 stream, cubic', 1, false, 'cubic')]
}

function frames(figure: string, flows: number): Figure {
  return {
    name: figure,
    measure: async (network) => {
      const { offered, arrived, cpu } = await smallFrames(network, flows, seconds)
      return [
        { figure, value: arrived, unit: 'kpps' },
        { figure: `${figure}, offered`, value: offered, unit: 'kpps' },
        ...(cpu === undefined
          ? []
          : [{ figure: `${figure}, processor time`, value: cpu, unit: 's/Mframe', cost: true }]),
      ]
    },
  }
}

const DATAGRAMS: Figure = {
  name: 'UDP of 64 B',
  measure: async (network) => {
    const { offered, arrived } = await datagrams(network, seconds)
    return [
      { figure: 'UDP of 64 B, at the application', value: arrived, unit: 'kpps' },
      { figure: 'UDP of 64 B, offered', value: offered, unit: 'kpps' },
    ]
  },
}

const RTT: Figure = {
  name: 'round trip',
  measure: async (network) => {
    const { p50, p99 } = await roundTrips(network, options.quick ? 300 : 1000)
    return [
      { figure: 'round trip, p50', value: p50, unit: 'µs', cost: true },
      { figure: 'round trip, p99', value: p99, unit: 'µs', cost: true },
    ]
  },
}

const MEMORY: Figure = {
  name: 'memory',
  calm: true,
  measure: async ({ pids }) =>
    pids.length === 0
      ? []
      : [{ figure: 'memory afterwards', value: resident(pids) / 2 ** 20, unit: 'MiB', cost: true }],
}

const CONNECTIONS: Figure = {
  name: 'new connections',
  measure: async (network) => [
    { figure: 'new TCP connections', value: (await connections(network, seconds)) / 1000, unit: 'k/s' },
  ],
}

const BRIDGE_FIGURES = [
  transfer('TCP, 1 stream', 1, false),
  ...byDefaultOfLinux(),
  transfer('TCP, 1 stream, back', 1, true),
  transfer('TCP, 8 streams', 8, false),
  transfer('TCP, 8 streams, back', 8, true),
  frames('64 B', 1),
  RTT,
  MEMORY,
]
const SNAT_FIGURES = [
  transfer('TCP, 1 stream', 1, false),
  ...byDefaultOfLinux(),
  transfer('TCP, 8 streams', 8, false),
  frames('64 B, 1 flow', 1),
  frames('64 B, 10,000 flows', 10_000),
  CONNECTIONS,
  RTT,
  MEMORY,
]

const OFFLOAD_FIGURES = [
  transfer('TCP, 1 stream, cut up by the sender', 1, false),
  transfer('TCP, 8 streams, cut up by the sender', 8, false),
  DATAGRAMS,
]

const groups = [
  { peers: BRIDGES, figures: BRIDGE_FIGURES },
  { peers: ROUTERS, figures: SNAT_FIGURES },
  { peers: OFFLOADS, figures: OFFLOAD_FIGURES },
]
const group = groups.find(({ peers }) => peers.some((candidate) => candidate.name === name))
const peer = group?.peers.find((candidate) => candidate.name === name)
if (group === undefined || peer === undefined) throw new Error(`there is no switch "${name}"`)
const wanted = group.figures.filter(
  (figure) =>
    (peer.only === undefined || figure.name.startsWith(peer.only)) && isWanted(figure.name, options.figure),
)
const disturbance = new Disturbance()
const turn = { readings: [] as Reading[], discarded: 0, disturbed: 0 } satisfies Turn

/** Measures until nobody else was in the way, once everybody knows what is to be done. */
async function undisturbed(figure: Figure, network: Network): Promise<readonly Reading[]> {
  if (figure.calm === undefined) await figure.measure(network)
  for (let attempt = 1; ; attempt++) {
    disturbance.take()
    const readings = await figure.measure(network)
    const others = disturbance.take()
    if (figure.calm || others <= TOLERABLE) return readings
    if (attempt === TRIES) {
      turn.disturbed++
      return readings
    }
    turn.discarded++
    console.error(`  discarded: others took ${(others * 100).toFixed(0)} % of the processors`)
  }
}

function finish(result: Turn): never {
  console.log(JSON.stringify(result))
  // What it has started ends with its world.
  process.exit()
}

try {
  const network = await peer.start()
  pin(SWITCH_CPU, network.pids)
  // Who sends and receives is started by this process, and stays where it is.
  if (!peer.anywhere) pin(SENDER_CPU, [process.pid])
  await tcp(network, { streams: 1, reverse: false, seconds: WARM_UP })
  for (const figure of wanted) turn.readings.push(...(await undisturbed(figure, network)))
  await network.stop()
  finish(turn)
} catch (error) {
  finish({ ...turn, failure: (error as Error).message.split('\n')[0]! })
}
