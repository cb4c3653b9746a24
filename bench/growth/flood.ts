/**
 * Loss and latency of a steady flow while ever more new flows arrive that are never seen again, each of which needs
 * a translation, to be run in a private world (see `growth.ts`). Prints the results as JSON.
 */
import { ovsTaps } from '../peers/open-vswitch.ts'
import { ourTaps } from '../peers/ours.ts'
import type { Peer } from '../peers/peer.ts'
import { Tester } from '../rfc2544/tester.ts'
import { Figures } from '../support/figures.ts'
import { percentiles } from '../support/percentiles.ts'
import { pin, SENDER_CPU, SWITCH_CPU } from '../support/processors.ts'
import { leftOut, type Result } from '../support/result.ts'
import { LOOKS_AT_PORTS } from './flows.ts'

const quick = process.argv.includes('--quick')
const rounds = quick ? 1 : 3
/** Long enough for the largest flood to fill every table more than once. */
const seconds = quick ? 1 : 5
/** Frames a second of the steady flow. */
const STEADY = 1000
/** New 5-tuples a second. */
const FLOODS = quick ? [0, 100_000] : [0, 10_000, 50_000, 100_000]
const figures = new Figures('growth')
const notes: Result[] = []

async function turn(peer: Peer): Promise<void> {
  const network = await peer.start()
  try {
    pin(SWITCH_CPU, network.pids)
    network.addFlow?.(LOOKS_AT_PORTS)
    const tester = new Tester(network)
    try {
      tester.run({ size: 64, rate: STEADY, seconds: 0.5 })
      for (const flood of FLOODS) measure(peer, tester, flood)
    } finally {
      tester.close()
    }
  } finally {
    await network.stop()
  }
}

function measure(peer: Peer, tester: Tester, flood: number): void {
  const { sent, received, latencies, flood: others } = tester.run({ size: 64, rate: STEADY, seconds, flood })
  const add = (curve: string, value: number, unit: string, cost: boolean) => {
    const x = flood / 1000
    const figure = `${curve}, ${x} k new 5-tuples a second`
    figures.add(peer.name, figure, value, unit, cost, { curve, x, axis: 'thousand new 5-tuples a second' })
  }
  const { p50, p99 } = percentiles(latencies)
  add('steady flow, loss', (1 - received / sent) * 100, '%', true)
  add('steady flow, latency p50', p50, 'µs', true)
  add('steady flow, latency p99', p99, 'µs', true)
  if (flood === 0) return
  add('new flows, offered', others.sent / seconds / 1000, 'k/s', false)
  add('new flows, forwarded', others.received / seconds / 1000, 'k/s', false)
}

pin(SENDER_CPU, [process.pid])
const peers = [ourTaps, ovsTaps].filter(({ name, missing }) => {
  if (missing !== undefined) notes.push(leftOut(name, `${missing} is not installed`))
  return missing === undefined
})
for (let round = 0; round < rounds; round++) {
  for (const peer of round % 2 === 0 ? peers : [...peers].reverse()) await turn(peer)
}
console.log(JSON.stringify([...figures.results([ourTaps.name]), ...notes]))
