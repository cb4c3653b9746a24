import { performance } from 'node:perf_hooks'
import type { Instant } from '../../protocols/time.ts'

/** What real time has to be added to it to be this clock's. */
let offset = performance.timeOrigin
/** Where the clock stands still. */
let stopped: Instant | undefined
const listeners: (() => void)[] = []

/**
 * The only clock, one for each thread: milliseconds since the Unix epoch, that never run backwards while the process
 * lives, unless somebody sets it.
 */
export function now(): Instant {
  return stopped ?? offset + performance.now()
}

/** Real time from no origin in particular, whatever is done to the clock. */
export function elapsed(): number {
  return performance.now()
}

/** Whether time passes by itself. */
export function running(): boolean {
  return stopped === undefined
}

/** Sets this thread's clock; it goes on from there, or stands until it is set again. */
export function setClock(at: Instant, runs: boolean): void {
  offset = at - performance.now()
  stopped = runs ? undefined : at
  for (const listener of listeners) listener()
}

/** Has a function called whenever the clock has been set. */
export function onClockSet(listener: () => void): void {
  listeners.push(listener)
}
