import { performance } from 'node:perf_hooks'
import type { Instant } from '../../protocols/time.ts'

const origin = performance.timeOrigin

/** The only clock: milliseconds since the Unix epoch, that never run backwards while the process lives. */
export function now(): Instant {
  return origin + performance.now()
}
