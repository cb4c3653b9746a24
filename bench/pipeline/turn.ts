import Benchmark from 'benchmark'
import { BURST } from '../../engine/memory/packet-pool.ts'
import type { Pipeline } from './topologies.ts'

/** Frames forwarded per call of a measured function. */
export const FRAMES = BURST * 32

/** What forwards `FRAMES` frames at each call, and returns their number. */
export function turnOf({ datapath, source }: Pipeline): () => number {
  const burst = new Uint32Array(BURST)
  const portNo = datapath.topology.portsByName.get(source.name)?.portNo as number
  return () => {
    for (let n = 0; n < FRAMES; n += BURST) datapath.receive(burst, source.rx(burst, BURST), portNo)
    return FRAMES
  }
}

/**
 * Lets every flow become known, and makes sure that frames come out again.
 * @param copies how many come out for each that goes in
 */
export function warmUp(
  name: string,
  { sink }: Pipeline,
  turn: () => number,
  flows: number,
  copies = 1,
): void {
  for (let n = 0; n < flows * 2; n += FRAMES) turn()
  const before = sink.sent
  const frames = turn()
  if (sink.sent - before !== frames * copies) {
    throw new Error(`${name}: ${frames} frames went in and ${sink.sent - before} came out`)
  }
}

export interface Timing {
  /** Seconds a call. */
  readonly mean: number
  /** Relative margin of error, per cent. */
  readonly rme: number
}

/** Times a function by benchmark.js. @param seconds at the most */
export function timed(name: string, work: () => unknown, seconds: number): Timing {
  let failed: unknown
  const suite = new Benchmark(name, work, {
    maxTime: seconds,
    minSamples: 5,
    onError: (event: { target: { error: unknown } }) => {
      failed = event.target.error
    },
  })
  suite.run()
  if (failed !== undefined) throw failed
  return suite.stats
}
