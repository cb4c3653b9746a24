/** More and more sessions through SNAT, each with one frame in turn. */
import { routed } from '../pipeline/topologies.ts'
import { FRAMES, timed, turnOf, warmUp } from '../pipeline/turn.ts'
import { bytesInUse } from '../support/memory.ts'
import type { Result } from '../support/result.ts'
import { Curve, decades } from './curve.ts'

/** Bytes of a router that may have so many sessions: it has room for all of them from the start. */
function roomFor(maxConnections: number): number {
  const before = bytesInUse()
  const { datapath } = routed({ size: 64, flows: 1 }, true, maxConnections)
  const bytes = bytesInUse() - before
  // The router is alive until here.
  if (datapath.routers.conntrack.count > 0) throw new Error('a session has begun without a frame')
  return bytes
}

export function sessions(quick: boolean): Result[] {
  const curve = new Curve('NAT sessions')
  for (const count of decades(1000, quick ? 100_000 : 1_000_000)) {
    const pipeline = routed({ size: 64, flows: count }, true)
    const turn = turnOf(pipeline)
    const before = bytesInUse()
    const begin = performance.now()
    for (let n = 0; n < count; n += FRAMES) turn()
    const seconds = (performance.now() - begin) / 1000
    const grown = bytesInUse() - before
    const known = pipeline.datapath.routers.conntrack.count
    if (known !== count) throw new Error(`${known} sessions instead of ${count}`)
    warmUp('sessions', pipeline, turn, count)
    const { mean } = timed('sessions', turn, quick ? 0.3 : 1)
    curve.add('routed with SNAT, a session each', count, (FRAMES * 1e-6) / mean, 'Mpps')
    curve.add('new sessions', count, (count * 1e-6) / seconds, 'M/s')
    const room = roomFor(count) - roomFor(1)
    curve.add('memory of a session', count, (room + grown) / count, 'B', true)
  }
  return curve.results
}
