import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { SCENARIOS } from '../../bench/pipeline/topologies.ts'
import { FRAMES, turnOf, warmUp } from '../../bench/pipeline/turn.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/test/support/forward-steadily.js', import.meta.url))
const FLOWS = 256
const TURNS = 10

test.each(Object.entries(SCENARIOS))('in the steady state no frame misses the cache: %s', (name, build) => {
  const pipeline = build({ size: 64, flows: FLOWS })
  const { datapath, sink } = pipeline
  const turn = turnOf(pipeline)
  warmUp(name, pipeline, turn, FLOWS)
  const before = { upcalls: datapath.upcalls, megaflowHits: datapath.cache.megaflowHits, sent: sink.sent }
  const hits = datapath.cache.emcHits
  for (let n = 0; n < TURNS; n++) turn()
  const {
    upcalls,
    cache: { megaflowHits },
  } = datapath
  expect({ upcalls, megaflowHits, sent: sink.sent }).toEqual({
    ...before,
    sent: before.sent + TURNS * FRAMES,
  })
  expect(datapath.cache.emcHits - hits).toBeGreaterThanOrEqual(TURNS * FRAMES)
})

test('in the steady state no code is compiled and thrown away again and again', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], { maxBuffer: 1 << 26 })
  const [steady, after] = stdout.split('forwarded')
  // V8 tells of what is thrown away on purpose at the end, so it would have told of the switch's code.
  expect(thrownAway(after ?? '')).toContain('witness')
  const functions = thrownAway(steady!)
  expect(functions.filter((name, i) => functions.indexOf(name) !== i)).toEqual([])
})

/** Functions whose compiled code was thrown away, each as often as that happened. */
function thrownAway(trace: string): string[] {
  return [...trace.matchAll(/bailout \(kind: .*deoptimizing \S+ <JSFunction ([^ >]*)/g)].map(
    ([, name]) => name!,
  )
}
