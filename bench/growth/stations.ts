/** More and more stations on one port, each heard in turn; the MAC address table is as large as they are many. */
import { TRUNK_ALL } from '../../engine/dpif.ts'
import { Builder, NOTHING } from '../pipeline/builder.ts'
import { answerFrom, MAC_B } from '../pipeline/topologies.ts'
import { FRAMES, timed, turnOf, warmUp } from '../pipeline/turn.ts'
import { udpFrame } from '../support/frames.ts'
import type { Frames } from '../support/generator.ts'
import { bytesInUse } from '../support/memory.ts'
import type { Result } from '../support/result.ts'
import { Curve, decades } from './curve.ts'

const FIRST_STATION = 0x0200_0100_0000

function fromEach(count: number): Frames {
  const rest = { dst: MAC_B, from: 0x0a00_0001, to: 0x0a00_0002, srcPort: 1024, dstPort: 9, size: 64 }
  return { count, at: (i) => udpFrame({ ...rest, src: FIRST_STATION + i }) }
}

export function stations(quick: boolean): Result[] {
  const curve = new Curve('MAC addresses')
  for (const count of decades(10, quick ? 100_000 : 1_000_000)) {
    const b = new Builder()
    const before = bytesInUse()
    // One more: the station that all send to.
    b.bridge('br', count + 1)
    const bytes = bytesInUse() - before
    const source = b.port('br', 'a', TRUNK_ALL, fromEach(count))
    const sink = b.port('br', 'b', TRUNK_ALL, NOTHING)
    b.hear(sink, answerFrom(MAC_B))
    const pipeline = { datapath: b.datapath, source, sink }
    const turn = turnOf(pipeline)
    const begin = performance.now()
    for (let n = 0; n < count; n += FRAMES) turn()
    const seconds = (performance.now() - begin) / 1000
    const known = b.datapath.topology.bridges.get('br')?.fdb.size
    if (known !== count + 1) throw new Error(`${known} of ${count + 1} stations are known`)
    warmUp('stations', pipeline, turn, count)
    const { mean } = timed('stations', turn, quick ? 0.3 : 1)
    curve.add('forwarded, a station each', count, (FRAMES * 1e-6) / mean, 'Mpps')
    // Smaller ones end before the compiler has begun.
    if (count < 10_000) continue
    curve.add('stations learned', count, (count * 1e-6) / seconds, 'M/s')
    curve.add('memory of a station', count, bytes / count, 'B', true)
  }
  return curve.results
}
