/** How long the garbage collector stops the dataplane under load: the histogram of its pauses over a minute. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Result } from '../support/result.ts'
import type { Pauses } from './load.ts'

const LOAD = fileURLToPath(new URL('./load.js', import.meta.url))
/** Milliseconds up to which pauses are counted together. */
const BOUNDS = [0.5, 1, 2, 5, Number.POSITIVE_INFINITY]
export const LONGEST = 'longest pause of the collector'

export function pauses(quick: boolean): Result[] {
  const output = execFileSync(process.execPath, [LOAD, quick ? '10' : '60'], { encoding: 'utf8' })
  const { seconds, frames, connections, pauses } = JSON.parse(output) as Pauses
  const note = `${frames.toFixed(0)} million frames, ${connections.toFixed(0)} k connections in ${seconds.toFixed(0)} s`
  const bench = 'pauses'
  const histogram = BOUNDS.map((bound, i): Result => {
    const above = i === 0 ? 0 : BOUNDS[i - 1]!
    const figure = bound === Number.POSITIVE_INFINITY ? `above ${above} ms` : `above ${above} to ${bound} ms`
    const value = pauses.filter((pause) => pause > above && pause <= bound).length
    return { bench, figure, value, unit: 'pauses', cost: true }
  })
  const longest = Math.max(0, ...pauses)
  return [...histogram, { bench, figure: LONGEST, value: longest, unit: 'ms', cost: true, note }]
}
