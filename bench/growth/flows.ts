/**
 * More and more flows under way at once, each with one frame in turn, which is the hardest order for any cache.
 *
 * The exact-match cache has two entries a hash and keeps the one used last; the megaflow table, when full, gives
 * up one of the longest unused. Both are bounded: beyond them frames cost a lookup, or a translation, more.
 */
import { ExactMatchCache } from '../../engine/classifier/exact-match-cache.ts'
import { MegaflowTable } from '../../engine/classifier/megaflow-table.ts'
import { KEY_WORDS } from '../../protocols/flow-key.ts'
import { bridged } from '../pipeline/topologies.ts'
import { FRAMES, timed, turnOf, warmUp } from '../pipeline/turn.ts'
import { bytesInUse } from '../support/memory.ts'
import type { Result } from '../support/result.ts'
import { Curve, decades } from './curve.ts'

/** As the daemon has them. */
const EMC_ENTRIES = 1 << 16
const MEGAFLOWS = 1 << 18

/** Looks at all bits of both ports: a megaflow for every flow. */
export const LOOKS_AT_PORTS =
  'priority=100,udp,actions=move:NXM_OF_UDP_SRC[]->NXM_NX_REG0[0..15],move:NXM_OF_UDP_DST[]->NXM_NX_REG0[16..31],NORMAL'

export function flows(quick: boolean): Result[] {
  const curve = new Curve('flows')
  for (const count of decades(1, quick ? 100_000 : 1_000_000)) {
    for (const [name, pipeline] of [
      ['bridge', bridged({ size: 64, flows: count })],
      ['bridge, a megaflow each', bridged({ size: 64, flows: count }, LOOKS_AT_PORTS)],
    ] as const) {
      const turn = turnOf(pipeline)
      warmUp(name, pipeline, turn, count)
      const { mean } = timed(name, turn, quick ? 0.3 : 1)
      curve.add(name, count, (FRAMES * 1e-6) / mean, 'Mpps')
    }
  }
  return [...curve.results, ...memory()]
}

/** Both tables have their whole memory from the start, whatever comes. */
function memory(): Result[] {
  const begin = bytesInUse()
  const table = new MegaflowTable(MEGAFLOWS, 1, { stationHeard: () => {} })
  const middle = bytesInUse()
  const cache = new ExactMatchCache(EMC_ENTRIES, table.records)
  const end = bytesInUse()
  // Both are alive until here.
  if (cache.lookup(new Uint32Array(KEY_WORDS), 0, KEY_WORDS, 1) >= 0)
    throw new Error('an empty cache knows a flow')
  const result = (figure: string, value: number, note: string) => ({
    bench: 'growth',
    figure,
    value,
    unit: 'B',
    cost: true,
    note,
  })
  return [
    result('memory of a megaflow', (middle - begin) / MEGAFLOWS, `${MEGAFLOWS} at the most`),
    result(
      'memory of an entry of the exact-match cache',
      (end - middle) / EMC_ENTRIES,
      `${EMC_ENTRIES} in all`,
    ),
  ]
}
