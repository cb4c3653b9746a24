/**
 * The measurements over real devices, to be run in a private world (see `device.ts`). In every round each switch is
 * brought up, measured and taken down in turn. Prints the results as JSON.
 */
import { parseArgs } from 'node:util'
import { copyLoop } from '../peers/copy-loop.ts'
import { iptables, kernelBridge } from '../peers/kernel.ts'
import { ovsSnat, ovsTaps, ovsTso, ovsVeths, ovsXdp } from '../peers/open-vswitch.ts'
import { ourBusyVeths, ourSnat, ourTaps, ourVeths } from '../peers/ours.ts'
import { type Network, type Peer, resident } from '../peers/peer.ts'
import { vde } from '../peers/vde.ts'
import { Disturbance } from '../support/disturbance.ts'
import { Figures } from '../support/figures.ts'
import { pin, SWITCH_CPU } from '../support/processors.ts'
import { leftOut, type Result } from '../support/result.ts'
import { connections } from './connections.ts'
import { roundTrips } from './rtt.ts'
import { smallFrames } from './small-frames.ts'
import { tcp } from './tcp.ts'

const BRIDGES = [
  ourTaps,
  ourVeths,
  ourBusyVeths,
  kernelBridge,
  ovsTaps,
  ovsVeths,
  ovsTso,
  ovsXdp,
  vde,
  copyLoop,
]
const ROUTERS = [ourSnat, iptables, ovsSnat]
const OURS = [ourTaps, ourVeths, ourBusyVeths, ourSnat].map(({ name }) => name)
/** Share of the machine's processors that others may take before a round counts for nothing. */
const TOLERABLE = 0.05
/** How often a disturbed round is tried again. */
const TRIES = 3

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    peer: { type: 'string', multiple: true },
    figure: { type: 'string', multiple: true },
  },
})
const rounds = Number(options.rounds ?? (options.quick ? 1 : 3))
const seconds = options.quick ? 1 : 2
const figures = { bridge: new Figures('bridge'), snat: new Figures('SNAT') }
const disturbance = new Disturbance()
const notes: Result[] = []
let discarded = 0
/** Of which every try was disturbed; the last one counts. */
let disturbed = 0

interface Figure {
  readonly name: string
  /** Others do not change it, however busy they are. */
  readonly calm?: true
  measure(peer: Peer, network: Network, into: Figures): Promise<() => void>
}

function transfer(name: string, streams: number, reverse: boolean): Figure {
  return {
    name,
    measure: async (peer, network, into) => {
      const rate = await tcp(network, { streams, reverse, seconds })
      return () => into.add(peer.name, name, rate, 'Gbit/s')
    },
  }
}

function frames(name: string, flows: number): Figure {
  return {
    name,
    measure: async (peer, network, into) => {
      const { offered, arrived, cpu } = await smallFrames(network, flows, seconds)
      return () => {
        into.add(peer.name, name, arrived, 'kpps')
        into.add(peer.name, `${name}, offered`, offered, 'kpps')
        if (cpu !== undefined) into.add(peer.name, `${name}, processor time`, cpu, 's/Mframe', true)
      }
    },
  }
}

const RTT: Figure = {
  name: 'round trip',
  measure: async (peer, network, into) => {
    const { p50, p99 } = await roundTrips(network, options.quick ? 300 : 1000)
    return () => {
      into.add(peer.name, 'round trip, p50', p50, 'µs', true)
      into.add(peer.name, 'round trip, p99', p99, 'µs', true)
    }
  },
}

const MEMORY: Figure = {
  name: 'memory',
  calm: true,
  measure: async (peer, network, into) => {
    const bytes = resident(network.pids)
    return () => {
      if (network.pids.length > 0) into.add(peer.name, 'memory afterwards', bytes / 2 ** 20, 'MiB', true)
    }
  },
}

const CONNECTIONS: Figure = {
  name: 'new connections',
  measure: async (peer, network, into) => {
    const rate = await connections(network, seconds)
    return () => into.add(peer.name, 'new TCP connections', rate / 1000, 'k/s')
  },
}

const BRIDGE_FIGURES = [
  transfer('TCP, 1 stream', 1, false),
  transfer('TCP, 1 stream, back', 1, true),
  transfer('TCP, 8 streams', 8, false),
  transfer('TCP, 8 streams, back', 8, true),
  frames('64 B', 1),
  RTT,
  MEMORY,
]
const SNAT_FIGURES = [
  transfer('TCP, 1 stream', 1, false),
  transfer('TCP, 8 streams', 8, false),
  frames('64 B, 1 flow', 1),
  frames('64 B, 10,000 flows', 10_000),
  CONNECTIONS,
  RTT,
  MEMORY,
]

/** Measures until nobody else was in the way. */
async function undisturbed(figure: Figure, peer: Peer, network: Network, into: Figures): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    disturbance.take()
    const keep = await figure.measure(peer, network, into)
    const others = disturbance.take()
    if (figure.calm || others <= TOLERABLE) return keep()
    if (attempt === TRIES) {
      disturbed++
      return keep()
    }
    discarded++
    console.error(`  discarded: others took ${(others * 100).toFixed(0)} % of the processors`)
  }
}

async function turn(peer: Peer, wanted: readonly Figure[], into: Figures): Promise<void> {
  const network = await peer.start()
  try {
    pin(SWITCH_CPU, network.pids)
    const measured = wanted.filter(({ name }) => peer.only === undefined || name === peer.only)
    for (const figure of measured) await undisturbed(figure, peer, network, into)
  } finally {
    await network.stop()
  }
}

function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  wanted: readonly string[] | undefined,
): T[] {
  return all.filter(({ name }) => wanted === undefined || wanted.some((part) => name.includes(part)))
}

/** A peer that cannot be brought up here is told, and left out from then on. */
async function compare(peers: readonly Peer[], wanted: readonly Figure[], into: Figures): Promise<void> {
  const able = new Set(peers)
  for (let round = 0; round < rounds; round++) {
    for (const peer of round % 2 === 0 ? peers : [...peers].reverse()) {
      if (!able.has(peer)) continue
      try {
        if (peer.missing !== undefined) throw new Error(`${peer.missing} is not installed`)
        await turn(peer, wanted, into)
      } catch (error) {
        able.delete(peer)
        const note = (error as Error).message.split('\n')[0]!
        console.error(`  ${peer.name}: left out: ${note}`)
        notes.push(leftOut(peer.name, note))
      }
    }
  }
}

await compare(chosen(BRIDGES, options.peer), chosen(BRIDGE_FIGURES, options.figure), figures.bridge)
await compare(chosen(ROUTERS, options.peer), chosen(SNAT_FIGURES, options.figure), figures.snat)
notes.push({ bench: 'disturbed', figure: 'rounds discarded', value: discarded, unit: '' })
notes.push({ bench: 'disturbed', figure: 'rounds kept all the same', value: disturbed, unit: '' })
console.log(JSON.stringify([...figures.bridge.results(OURS), ...figures.snat.results(OURS), ...notes]))
