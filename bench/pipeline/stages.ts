/**
 * Nanoseconds a frame by stage. A clock read around each stage of each frame would cost more than the stages:
 * the way of a burst is walked again and again, each time one stage further, and the differences are told.
 */
import { ExactMatchCache } from '../../engine/classifier/exact-match-cache.ts'
import { extract } from '../../engine/flow/extract.ts'
import { hashKey } from '../../engine/flow/hash.ts'
import { BURST } from '../../engine/memory/packet-pool.ts'
import { KEY_WORDS } from '../../protocols/flow-key.ts'
import type { Result } from '../support/result.ts'
import type { Pipeline } from './topologies.ts'
import { FRAMES, turnOf, warmUp } from './turn.ts'

const CACHE_ENTRIES = 1 << 16
/** The first calls are the compiler's. */
const WARM_UP = 200

export function stages(bench: string, pipeline: Pipeline, quick: boolean): Result[] {
  const { datapath, source, sink } = pipeline
  const { pool, flows } = datapath
  const turn = turnOf(pipeline)
  warmUp(bench, pipeline, turn, 1)
  const portNo = datapath.topology.portsByName.get(source.name)?.portNo as number
  const out = datapath.topology.portsByName.get(sink.name)?.portNo as number
  const burst = new Uint32Array(BURST)
  const key = new Uint32Array(KEY_WORDS)
  const cache = new ExactMatchCache(CACHE_ENTRIES, flows.records)

  /** The frame that comes next in the cache of this file, as the datapath has it in its own. */
  const [h] = source.rx(burst, 1) === 1 ? burst : [0]
  const words = extract(pool, h as number, portNo, key, 0)
  const flow = flows.lookup(key)
  if (flow < 0) throw new Error(`${bench}: no megaflow`)
  cache.insert(key, 0, words, hashKey(key, 0, words, 1), flow)
  pool.free(h as number)

  let misses = 0
  const received = () => {
    for (let n = 0; n < FRAMES; n += BURST) {
      source.rx(burst, BURST)
      for (let i = 0; i < BURST; i++) pool.free(burst[i])
    }
  }
  const extracted = () => {
    for (let n = 0; n < FRAMES; n += BURST) {
      source.rx(burst, BURST)
      for (let i = 0; i < BURST; i++) {
        extract(pool, burst[i], portNo, key, 0)
        pool.free(burst[i])
      }
    }
  }
  const found = () => {
    for (let n = 0; n < FRAMES; n += BURST) {
      source.rx(burst, BURST)
      for (let i = 0; i < BURST; i++) {
        const length = extract(pool, burst[i], portNo, key, 0)
        if (cache.lookup(key, 0, length, hashKey(key, 0, length, 1)) < 0) misses++
        pool.free(burst[i])
      }
    }
  }
  const sent = () => {
    for (let n = 0; n < FRAMES; n += BURST) {
      source.rx(burst, BURST)
      for (let i = 0; i < BURST; i++) {
        datapath.output(out, burst[i])
        pool.free(burst[i])
      }
    }
  }
  const [receive, extraction, lookup, send, all] = leastOf([received, extracted, found, sent, turn], quick)
  if (misses > 0) throw new Error(`${bench}: ${misses} frames were not found`)
  const figures: [string, number][] = [
    ['receive (copy)', receive],
    ['extract', extraction - receive],
    ['lookup', lookup - extraction],
    ['send', send - receive],
    // What is left: counting, the program and its rewriting.
    ['actions', all - lookup - (send - receive)],
    ['all stages', all],
  ]
  return figures.map(([stage, value]) => ({
    bench,
    figure: `64 B, 1 flow, ${stage}`,
    value,
    unit: 'ns/frame',
    cost: true,
  }))
}

/** Nanoseconds a frame: the least of many short rounds in turn, since whatever disturbs only adds. */
function leastOf(works: readonly (() => unknown)[], quick: boolean): number[] {
  for (let n = 0; n < WARM_UP; n++) for (const work of works) work()
  const least = works.map(() => Number.POSITIVE_INFINITY)
  for (let round = 0; round < (quick ? 300 : 1000); round++) {
    for (const [i, work] of works.entries()) {
      const begin = performance.now()
      work()
      least[i] = Math.min(least[i]!, ((performance.now() - begin) * 1e6) / FRAMES)
    }
  }
  return least
}
