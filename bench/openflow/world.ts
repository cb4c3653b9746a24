/**
 * The measurements against Open vSwitch, to be run in a private world (see `openflow.ts`): both switches stand
 * ready throughout and take turns in every round. Prints the results as JSON.
 */
import { Figures } from '../support/figures.ts'
import { leftOut, type Result } from '../support/result.ts'
import { flowModFlood } from './flow-mod-flood.ts'
import { missing, openVswitch, ours, type Peer } from './peers.ts'
import { programming } from './programming.ts'
import { forwarding, type Load, packetIns, upcalls } from './traffic.ts'

const FIVE_TUPLES: Load = { rules: 10_000, masks: 1, fiveTuples: true, flows: 10_000 }
const LOADS: readonly Load[] = [
  { rules: 10, masks: 1, flows: 10 },
  { rules: 10, masks: 10, flows: 100_000 },
  { rules: 1000, masks: 1, flows: 1000 },
  { rules: 1000, masks: 20, flows: 1000 },
  { rules: 1000, masks: 20, flows: 100_000 },
  FIVE_TUPLES,
  { rules: 100_000, masks: 1, flows: 10 },
  { rules: 100_000, masks: 20, flows: 1000 },
  { rules: 100_000, masks: 1, flows: 100_000 },
  { rules: 100_000, masks: 20, flows: 100_000 },
]
const QUICK_LOADS = [LOADS[0]!, LOADS[3]!, FIVE_TUPLES, { rules: 10_000, masks: 20, flows: 10_000 }]

function option(name: string): string | undefined {
  return process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3)
}

const quick = process.argv.includes('--quick')
const only = option('part')
const rounds = Number(option('rounds') ?? (quick ? 1 : 3))
const ms = quick ? 700 : 1500
const figures = new Figures('OpenFlow')
const peers: Peer[] = [ours()]
if (missing === undefined) peers.push(await openVswitch())

const loads = quick ? QUICK_LOADS : LOADS
const PARTS: readonly [string, (peer: Peer) => Promise<void>][] = [
  ['programming', (peer) => programming(peer, quick ? 10_000 : 100_000, figures)],
  ...loads.map((load): [string, (peer: Peer) => Promise<void>] => [
    'forwarding',
    (peer) => forwarding(peer, load, ms, figures),
  ]),
  ['upcalls', (peer) => upcalls(peer, ms, figures)],
  ['packetIns', (peer) => packetIns(peer, ms, figures)],
  ['flowModFlood', (peer) => flowModFlood(peer, ms / 1000, figures)],
]

try {
  for (const [name, part] of PARTS) {
    if (only !== undefined && only !== name) continue
    for (let round = 0; round < rounds; round++) {
      for (const peer of round % 2 === 0 ? peers : [...peers].reverse()) await part(peer)
    }
  }
} finally {
  for (const peer of peers) await peer.stop()
}
const results: Result[] = figures.results(['ours'])
if (missing !== undefined) results.push(leftOut('Open vSwitch', `${missing} is not installed`))
console.log(JSON.stringify(results))
