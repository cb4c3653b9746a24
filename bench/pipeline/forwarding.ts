/**
 * How fast the whole pipeline forwards when frames come from memory and go nowhere: what is left when system
 * calls are taken away. The copy of each frame into the switch is included. Needs no privileges.
 */
import { allocatedPerFrame } from '../support/allocations.ts'
import type { Result } from '../support/result.ts'
import { eightBridges } from './eight-bridges.ts'
import { stages } from './stages.ts'
import { type Pipeline, ruled, SCENARIOS } from './topologies.ts'
import { timed, turnOf, warmUp } from './turn.ts'

/** An Ethernet frame around the longest IPv4 datagram, as a segment is that its sender's card would cut up. */
const LARGEST = 14 + 65_535

export function forwarding(quick: boolean): Result[] {
  const sizes = quick ? [64, LARGEST] : [64, 128, 256, 512, 1024, 1280, 1518, 9014, LARGEST]
  const flowCounts = quick ? [10_000] : [1000, 10_000, 100_000]
  const results: Result[] = []
  for (const [name, build] of Object.entries(SCENARIOS)) {
    for (const size of sizes) results.push(...measure(name, build({ size, flows: 1 }), size, 1, quick))
    for (const flows of flowCounts)
      results.push(...measure(name, build({ size: 64, flows }), 64, flows, quick))
    results.push(...stages(`memory: ${name}`, build({ size: 64, flows: 1 }), quick))
  }
  for (const rules of quick ? [1, 1000] : [1, 1000, 100_000]) {
    const name = `${rules} rule${rules === 1 ? '' : 's'}`
    for (const flows of [1, ...flowCounts])
      results.push(...measure(name, ruled({ size: 64, flows }, rules), 64, flows, quick))
  }
  return [...results, ...eightBridges(quick)]
}

function measure(name: string, pipeline: Pipeline, size: number, flows: number, quick: boolean): Result[] {
  const turn = turnOf(pipeline)
  warmUp(name, pipeline, turn, flows)
  const { mean, rme } = timed(name, turn, quick ? 0.5 : 1)
  const frames = turn()
  const bench = `memory: ${name}`
  const figure = `${size} B, ${flows} flow${flows === 1 ? '' : 's'}`
  return [
    { bench, figure, value: (1e-6 * frames) / mean, unit: 'Mpps', note: `±${rme.toFixed(1)} %` },
    { bench, figure: `${figure}, allocated`, value: allocatedPerFrame(turn, frames), unit: 'B/frame' },
  ]
}
