/**
 * How fast the whole pipeline forwards when frames come from memory and go nowhere: what is left when system
 * calls are taken away. Needs no privileges.
 */
import Benchmark from 'benchmark'
import { BURST } from '../../engine/memory/packet-pool.ts'
import { allocatedPerFrame } from '../support/allocations.ts'
import type { Result } from '../support/result.ts'
import { bridged, type Pipeline, patched, popped, routed, type Traffic, tagged } from './topologies.ts'

/** Frames forwarded per call of the measured function. */
const FRAMES = BURST * 32

const SCENARIOS: Record<string, (traffic: Traffic) => Pipeline> = {
  bridge: bridged,
  'vlan push': tagged,
  'mpls pop': popped,
  '8 bridges': (traffic) => patched(traffic, 8),
  routed: (traffic) => routed(traffic, false),
  snat: (traffic) => routed(traffic, true),
}

export function forwarding(quick: boolean): Result[] {
  const sizes = quick ? [64] : [64, 128, 256, 512, 1024, 1280, 1518]
  const flowCounts = quick ? [1, 10_000] : [1, 1000, 10_000, 100_000]
  const results: Result[] = []
  for (const [name, build] of Object.entries(SCENARIOS)) {
    for (const size of sizes) results.push(...measure(name, build, { size, flows: 1 }, quick))
    for (const flows of flowCounts.slice(1)) results.push(...measure(name, build, { size: 64, flows }, quick))
  }
  return results
}

function measure(
  name: string,
  build: (traffic: Traffic) => Pipeline,
  traffic: Traffic,
  quick: boolean,
): Result[] {
  const pipeline = build(traffic)
  const turn = turnOf(pipeline)
  // Every flow is known before the clock runs.
  for (let n = 0; n < traffic.flows * 2; n += FRAMES) turn()
  const before = pipeline.sink.sent
  const frames = turn()
  if (pipeline.sink.sent - before !== frames) {
    throw new Error(`${name}: ${frames} frames went in and ${pipeline.sink.sent - before} came out`)
  }
  let failed: unknown
  const suite = new Benchmark(name, turn, {
    maxTime: quick ? 0.5 : 1,
    minSamples: 5,
    onError: (event: { target: { error: unknown } }) => {
      failed = event.target.error
    },
  })
  suite.run()
  if (failed !== undefined) throw failed
  const bench = `memory: ${name}`
  const what = `${traffic.size} B, ${traffic.flows} flow${traffic.flows === 1 ? '' : 's'}`
  const perFrame = suite.stats.mean / frames
  return [
    { bench, figure: what, value: 1e-6 / perFrame, unit: 'Mpps', note: `±${suite.stats.rme.toFixed(1)} %` },
    { bench, figure: `${what}, allocated`, value: allocatedPerFrame(turn, frames), unit: 'B/frame' },
  ]
}

function turnOf(pipeline: Pipeline): () => number {
  const { datapath, source } = pipeline
  const burst = new Uint32Array(BURST)
  const portNo = datapath.topology.portsByName.get('a')?.portNo as number
  return () => {
    for (let n = 0; n < FRAMES; n += BURST) datapath.receive(burst, source.rx(burst, BURST), portNo)
    return FRAMES
  }
}
