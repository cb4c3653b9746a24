import type { Instant } from '../../protocols/time.ts'
import type { Cancel, Clock } from '../../src/services/scheduler.ts'

interface Entry {
  readonly at: Instant
  readonly order: number
  readonly fn: () => void
  cancelled: boolean
}

/** A clock that moves only when told to. Calls due at the same time are made in the order of scheduling. */
export class VirtualClock implements Clock {
  #now: Instant
  #order = 0
  #entries: Entry[] = []

  constructor(start: Instant = 1_000_000) {
    this.#now = start
  }

  now(): Instant {
    return this.#now
  }

  schedule(at: Instant, fn: () => void): Cancel {
    const entry = { at: Math.max(at, this.#now), order: this.#order++, fn, cancelled: false }
    this.#entries.push(entry)
    return () => {
      entry.cancelled = true
    }
  }

  /** Moves on by `span` ms, making all calls that fall due on the way. */
  advance(span: number): void {
    const until = this.#now + span
    for (;;) {
      this.#entries = this.#entries.filter((e) => !e.cancelled)
      let next: Entry | undefined
      for (const e of this.#entries) {
        if (e.at > until) continue
        if (next === undefined || e.at < next.at || (e.at === next.at && e.order < next.order)) next = e
      }
      if (next === undefined) break
      next.cancelled = true
      this.#now = next.at
      next.fn()
    }
    this.#now = until
  }

  /** Calls still to be made. */
  get pending(): number {
    return this.#entries.filter((e) => !e.cancelled).length
  }
}
