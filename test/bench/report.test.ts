import { Script } from 'node:vm'
import { expect, test, vi } from 'vitest'
import { markdown } from '../../bench/report/markdown.ts'
import { reportPage } from '../../bench/report/page.ts'
import { Figures } from '../../bench/support/figures.ts'
import { leftOut } from '../../bench/support/result.ts'
import type { Run } from '../../bench/support/run.ts'
import { judge, TARGETS } from '../../bench/targets.ts'

const OURS = 'ours, TAP'
const THEIRS = 'Open vSwitch, tap'
const machine = { processor: 'Abacus <7>', cores: 2, memory: 4, kernel: '6.1', node: '20.1.0' }

// Values are told as they come.
vi.spyOn(console, 'error').mockImplementation(() => {})

/** Two rounds, between which the machine grows twice as fast, and a curve. */
function run(): Run {
  const figures = new Figures('bridge')
  for (const speed of [1, 2]) {
    figures.add(OURS, 'TCP, 1 stream', 8 * speed, 'Gbit/s')
    figures.add(THEIRS, 'TCP, 1 stream', speed, 'Gbit/s')
    figures.add(OURS, 'round trip, p50', 150 / speed, 'µs', true)
    figures.add(THEIRS, 'round trip, p50', 100 / speed, 'µs', true)
    for (const x of [64, 128])
      figures.add(OURS, `loss, ${x}`, x, '%', true, { curve: 'loss', x, axis: 'bytes' })
  }
  return {
    machine,
    quick: false,
    results: [...figures.results([OURS]), leftOut('Novel switch', 'not installed')],
  }
}

test('ratios are taken round by round and set against the targets', () => {
  const verdicts = judge(run().results).filter(({ value }) => value !== undefined)
  expect(verdicts.map(({ target, value, met }) => [target.figure, target.against, value, met])).toEqual([
    ['TCP, 1 stream', THEIRS, 8, true],
    ['round trip, p50', THEIRS, 1.5, false],
  ])
})

test('a target that nothing was measured for is neither met nor missed', () => {
  expect(judge([]).map(({ met }) => met)).toEqual(TARGETS.map(() => undefined))
})

test('the tables of the README name the machine', () => {
  expect(markdown(run()).split('\n')).toEqual([
    'One run of `npm run bench` on this machine: Abacus <7>, 2 cores, 4 GiB, Linux 6.1, Node.js 20.1.0. Medians; in brackets ours over theirs, round by round.',
    '',
    '| between two namespaces | TCP, one stream | 64-byte frames | processor time | round trip | memory |',
    '| --- | --- | --- | --- | --- | --- |',
    '| ours, TAP | 12.0 Gbit/s |  |  | 113 µs |  |',
    '| Open vSwitch, tap | 1.50 Gbit/s (8.00×) |  |  | 75.0 µs (1.50×) |  |',
  ])
})

test('the page needs nothing else, and its scripts are whole', () => {
  const page = reportPage(run())
  expect(page).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)=/)
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, code]) => code!)
  expect(scripts).toHaveLength(2)
  for (const code of scripts) new Script(code)
  expect(page.match(/<canvas>/g)).toHaveLength(1)
  expect(scripts[1]).toContain('{"x":64,"y":64},{"x":128,"y":128}')
  expect(page).toContain('Abacus &lt;7>, 2 cores')
  expect(page).toContain('Left out: Novel switch: not installed')
})
