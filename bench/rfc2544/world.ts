/** RFC 2544 and RFC 2889, to be run in a private world (see `rfc2544.ts`). Prints the results as JSON. */
import { parseArgs } from 'node:util'
import { kernelBridge } from '../peers/kernel.ts'
import { ovsTaps } from '../peers/open-vswitch.ts'
import { ourTaps, ourVeths } from '../peers/ours.ts'
import type { Network, Peer } from '../peers/peer.ts'
import { Figures } from '../support/figures.ts'
import { pin, SENDER_CPU, SWITCH_CPU } from '../support/processors.ts'
import { leftOut, type Point, type Result } from '../support/result.ts'
import { isWanted } from '../support/wanted.ts'
import { Tester } from './tester.ts'
import {
  addressCapacity,
  backToBack,
  FRAME_SIZES,
  latency,
  learningRate,
  lossCurve,
  throughput,
} from './tests.ts'

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, peer: { type: 'string', multiple: true } },
})
const { quick } = options
const rounds = quick ? 1 : 3
const seconds = quick ? 0.2 : 0.5
const sizes = quick ? [64, 512, 1518] : FRAME_SIZES
/** What compiles itself while it runs has done so before anything is measured. */
const WARM_UP = { rate: 200_000, seconds: 3 }
/** Addresses of the test of learning, fewer than any table here has. */
const ADDRESSES = 2000
/** More than any table here has. */
const MANY_ADDRESSES = 32_768
const figures = new Figures('RFC 2544')
const notes: Result[] = []

function measure(peer: Peer, network: Network): void {
  const add = (figure: string, value: number, unit: string, cost = false, point?: Point) =>
    figures.add(peer.name, figure, value, unit, cost, point)
  const tester = new Tester(network)
  try {
    tester.run({ size: 64, ...WARM_UP })
    for (const size of sizes) {
      const { rate, limited } = throughput(tester, size, seconds)
      if (limited) console.error('  the tester sends no faster')
      const at = (curve: string): Point => ({ curve, x: size, axis: 'bytes a frame' })
      add(`throughput, ${size} B`, rate / 1000, 'kpps', false, at('throughput without loss'))
      const { p50, p99 } = latency(tester, size, rate * 0.9, seconds)
      add(`latency at 90 %, p50, ${size} B`, p50, 'µs', true, at('latency at 90 %, p50'))
      add(`latency at 90 %, p99, ${size} B`, p99, 'µs', true, at('latency at 90 %, p99'))
      if (size !== 64) continue
      for (const [multiple, loss] of lossCurve(tester, size, rate, seconds)) {
        const [x, figure] = [
          Math.round(multiple * 100),
          `loss at ${Math.round(multiple * 100)} % of the throughput`,
        ]
        add(`${figure}, ${size} B`, loss * 100, '%', true, {
          curve: `loss, ${size} B`,
          x,
          axis: '% of the throughput',
        })
      }
      add(`back to back, ${size} B`, backToBack(tester, size), 'frames')
    }
    add('RFC 2889, addresses learned a second', learningRate(tester, ADDRESSES, 0) / 1000, 'k/s')
    add('RFC 2889, addresses known at once', addressCapacity(tester, MANY_ADDRESSES, 1 << 20), '')
  } finally {
    tester.close()
  }
}

async function turn(peer: Peer): Promise<void> {
  if (peer.missing !== undefined) {
    if (!notes.some((note) => note.peer === peer.name)) {
      notes.push(leftOut(peer.name, `${peer.missing} is not installed`))
    }
    return
  }
  const network = await peer.start()
  try {
    pin(SWITCH_CPU, network.pids)
    measure(peer, network)
  } finally {
    await network.stop()
  }
}

pin(SENDER_CPU, [process.pid])
const peers = [ourTaps, ourVeths, kernelBridge, ovsTaps].filter(({ name }) => isWanted(name, options.peer))
for (let round = 0; round < rounds; round++) {
  for (const peer of round % 2 === 0 ? peers : [...peers].reverse()) await turn(peer)
}
console.log(JSON.stringify([...figures.results([ourTaps.name, ourVeths.name]), ...notes]))
