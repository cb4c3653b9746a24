/** What eight bridges in a row cost beside one: their figures in turn, so that both have the same machine. */
import { Figures } from '../support/figures.ts'
import type { Result } from '../support/result.ts'
import { bridged, patched } from './topologies.ts'
import { timed, turnOf, warmUp } from './turn.ts'

export const ONE = 'one bridge'
export const EIGHT = '8 bridges joined by patch ports'

export function eightBridges(quick: boolean): Result[] {
  const traffic = { size: 64, flows: 1 }
  const figures = new Figures('memory: patch ports')
  const ways = [
    { name: ONE, pipeline: bridged(traffic) },
    { name: EIGHT, pipeline: patched(traffic, 8) },
  ].map(({ name, pipeline }) => {
    const turn = turnOf(pipeline)
    warmUp(name, pipeline, turn, traffic.flows)
    return { name, turn, frames: turn() }
  })
  for (let round = 0; round < (quick ? 3 : 7); round++) {
    for (const { name, turn, frames } of round % 2 === 0 ? ways : [...ways].reverse()) {
      figures.add(name, '64 B, 1 flow', (1e-6 * frames) / timed(name, turn, 0.3).mean, 'Mpps')
    }
  }
  return figures.results([EIGHT])
}
