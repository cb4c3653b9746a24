/**
 * A dataplane under load, on a thread with the heap that the switch's own has: a flow through SNAT as fast as it goes,
 * and beside it up to
 * 100,000 new connections a second. Prints the pauses of the garbage collector as JSON, in milliseconds.
 * Argument: seconds.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate as others } from 'node:timers/promises'
import { BURST } from '../../engine/memory/packet-pool.ts'
import { collectAlone } from '../../engine/sys/collector.ts'
import { routed } from '../pipeline/topologies.ts'
import { turnOf } from '../pipeline/turn.ts'

const NEW_A_SECOND = 100_000
/** When a flow comes round again, its connection has long made room for others. */
const NEW_FLOWS = 200_000
const CONNECTIONS = 1 << 16
const MOST_AT_ONCE = 1000
/** Milliseconds. */
const ANSWERS_EVERY = 500
/** What building all this has left to be collected is not the load's. */
const SETTLES_FOR = 2000

export interface Pauses {
  readonly seconds: number
  /** Million frames that were forwarded. */
  readonly frames: number
  /** Thousand connections that were new, of these. */
  readonly connections: number
  readonly pauses: readonly number[]
}

collectAlone()
const seconds = Number(process.argv[2])
const steady = turnOf(routed({ size: 64, flows: 1 }, true))
const churn = routed({ size: 64, flows: NEW_FLOWS }, true, CONNECTIONS)
const portNo = churn.datapath.topology.portsByName.get(churn.source.name)!.portNo
const burst = new Uint32Array(BURST)
const pauses: number[] = []
const start = performance.now()
const begin = start + SETTLES_FOR
const observer = new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) if (startTime >= begin) pauses.push(duration)
})
observer.observe({ entryTypes: ['gc'] })

let frames = 0
let begun = 0
let due = 0
let last = start
let answers = start
while (last - begin < seconds * 1000) {
  frames += steady()
  // Whoever is late does not make up for it.
  for (; due >= BURST; due -= BURST) {
    churn.datapath.receive(burst, churn.source.rx(burst, BURST), portNo)
    begun += BURST
  }
  const now = performance.now()
  due = Math.min(due + ((now - last) / 1000) * NEW_A_SECOND, MOST_AT_ONCE)
  churn.datapath.poll(now - start)
  if (now >= answers) {
    churn.answer?.()
    answers = now + ANSWERS_EVERY
  }
  // What observes the collector has its turn between two.
  if (now - last > 1) await others()
  last = now
}
await others()
if (churn.sink.sent < begun) throw new Error(`of ${begun} new flows ${churn.sink.sent} frames came out`)
const result: Pauses = {
  seconds: (last - start) / 1000,
  frames: (frames + begun) / 1e6,
  connections: begun / 1000,
  pauses,
}
console.log(JSON.stringify(result))
