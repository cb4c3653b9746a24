/**
 * Time as every protocol sees it: milliseconds since the Unix epoch, never running backwards,
 * possibly fractional. Who calls a machine supplies it; nothing in `protocols/` reads a clock.
 */
export type Instant = number

/** A span of time in milliseconds. */
export type Duration = number

export const SECOND: Duration = 1000
export const MINUTE: Duration = 60 * SECOND
export const HOUR: Duration = 60 * MINUTE

/** The earlier of two due times, where `undefined` means "never". */
export function earlier(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  return a < b ? a : b
}
