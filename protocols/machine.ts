import type { Instant } from './time.ts'

/**
 * The face of every protocol that keeps state. It is given bytes and the time; what it wants to send goes
 * to a sink it was given at construction. It holds no socket, no timer and no clock, so the same machine
 * runs against namespaces, in memory and under a virtual clock.
 */
export interface Machine {
  /** Takes in one frame that arrived on `port`. The bytes belong to the caller again on return. */
  receive(now: Instant, port: number, frame: Uint8Array): void
  /** Does whatever is due at `now`. */
  poll(now: Instant): void
  /** When `poll` wants to be called next; `undefined` for never. */
  pollAt(): Instant | undefined
}
