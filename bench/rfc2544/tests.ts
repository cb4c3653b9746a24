/** The tests of RFC 2544 §26 that make sense for a switch, and those of RFC 2889 for its address table. */
import { type Percentiles, percentiles } from '../support/percentiles.ts'
import type { Outcome, Tester } from './tester.ts'

/** RFC 2544 §9.1, Ethernet. */
export const FRAME_SIZES = [64, 128, 256, 512, 1024, 1280, 1518]
/** Above what any switch here forwards. */
const HIGHEST_RATE = 1_500_000
/** Throughput is known to this share of itself. */
const PRECISION = 0.03
/** Addresses that are asked about, of all that were heard from, and how many a second. */
const SAMPLE = 2048
const SAMPLE_RATE = 20_000
/** Addresses a second that every switch learns. */
const SLOW_RATE = 50_000
const FIRST_ADDRESS = 0x0200_0100_0000
/** Loss that a shared machine causes by itself; RFC 8204 and TST009 allow for the like. */
const TOLERABLE_LOSS = 0.0001

/** A load is too much when so many trials say so: others on the machine disturb single ones. */
const TRIALS = 3

function lossless({ sent, received }: Outcome): boolean {
  return sent - received <= sent * TOLERABLE_LOSS
}

/** Whether one of several trials succeeds. */
function succeeds(trial: (n: number) => boolean): boolean {
  for (let n = 0; n < TRIALS; n++) if (trial(n)) return true
  return false
}

/** What a search has found, and whether it ended at the tester's limit. */
export interface Throughput {
  readonly rate: number
  readonly limited: boolean
}

/** §26.1: the highest rate, frames a second, at which nothing is lost, by binary search. */
export function throughput(tester: Tester, size: number, seconds: number): Throughput {
  // A first trial far too fast tells what the tester sends and what arrives: nothing above either is worth a try.
  const first = tester.run({ size, rate: HIGHEST_RATE, seconds: seconds / 4 })
  if (lossless(first)) {
    const again = tester.run({ size, rate: HIGHEST_RATE, seconds })
    if (lossless(again)) return { rate: again.rate, limited: true }
  }
  const arrived = first.rate * (first.received / first.sent)
  let low = 0
  let high = Math.min(first.rate, Math.max(1000, arrived * 1.3))
  while (high - low > high * PRECISION) {
    const rate = (low + high) / 2
    if (succeeds(() => lossless(tester.run({ size, rate, seconds })))) low = rate
    else high = rate
  }
  return { rate: low, limited: false }
}

/** §26.2: microseconds at a rate. */
export function latency(tester: Tester, size: number, rate: number, seconds: number): Percentiles {
  return percentiles(tester.run({ size, rate, seconds }).latencies)
}

/** §26.3: share of frames lost (0 to 1) at multiples of the throughput. */
export function lossCurve(
  tester: Tester,
  size: number,
  throughput: number,
  seconds: number,
): [number, number][] {
  return [0.8, 1, 1.1, 1.25, 1.5, 2].map((multiple) => {
    const { sent, received } = tester.run({ size, rate: throughput * multiple, seconds })
    return [multiple, Math.max(0, 1 - received / sent)]
  })
}

/** §26.4: the longest burst at the sender's full speed of which nothing is lost. */
export function backToBack(tester: Tester, size: number): number {
  let low = 0
  let high = 1 << 16
  while (high - low > Math.max(8, high * PRECISION)) {
    const burst = (low + high) >>> 1
    const complete = () => {
      const { sent, received } = tester.run({ size, rate: 0, seconds: 0, burst })
      return sent === received
    }
    if (succeeds(complete)) low = burst
    else high = burst
  }
  return low
}

/**
 * RFC 2889 §5.8: of so many addresses heard from on the tester's port at a rate, how many are known. A frame to an
 * address that is known to be on the port it comes from goes nowhere; one to an unknown address comes out elsewhere.
 * @param first tells runs apart: addresses of an earlier one are still known
 */
export function addressesLearned(tester: Tester, count: number, rate: number, first: number): number {
  const from = FIRST_ADDRESS + first
  tester.run({ size: 64, rate, seconds: count / rate, sources: { first: from, count, step: 1 } })
  // A sample is enough: every so-manieth address is asked about.
  const step = Math.max(1, Math.floor(count / SAMPLE))
  const asked = Math.floor(count / step)
  const destinations = { first: from, count: asked, step }
  const { received } = tester.run({ size: 64, rate: SAMPLE_RATE, seconds: asked / SAMPLE_RATE, destinations })
  return Math.round((count * (asked - Math.min(asked, received))) / asked)
}

/** §5.7: how many addresses are known at once at the most, of `most` that are heard from slowly. */
export function addressCapacity(tester: Tester, most: number, first: number): number {
  return addressesLearned(tester, most, SLOW_RATE, first)
}

/** §5.8: the highest rate, addresses a second, at which `count` new ones are all learned. */
export function learningRate(tester: Tester, count: number, first: number): number {
  let [low, high] = [0, HIGHEST_RATE]
  for (let run = 0; high - low > high * PRECISION; run++) {
    const rate = (low + high) / 2
    const learned = (n: number) =>
      addressesLearned(tester, count, rate, first + (run * TRIALS + n) * count) >=
      count * (1 - TOLERABLE_LOSS)
    if (succeeds(learned)) low = rate
    else high = rate
  }
  return low
}
