import { now, onClockSet, running } from '../../engine/sys/clock.ts'
import type { Instant } from '../../protocols/time.ts'

/** Time for drivers of machines: read it, and be called at a time. */
export interface Clock {
  now(): Instant
  /** Calls `fn` once, at `at` or later; at once (but not from within this call) when that has passed. */
  schedule(at: Instant, fn: () => void): Cancel
}

/** Takes a scheduled call back; nothing happens when it has been made. */
export type Cancel = () => void

/** setTimeout takes no longer delay: it would fire at once. */
const MAX_DELAY = 2 ** 31 - 1

interface Call {
  readonly at: Instant
  readonly fn: () => void
  timer: NodeJS.Timeout | undefined
}

/** Calls to be made, so that they are made in time also when the clock is set. */
const calls = new Set<Call>()

function arm(call: Call): void {
  clearTimeout(call.timer)
  call.timer = undefined
  // While the clock stands, only what is due already is done.
  if (!running() && call.at > now()) return
  // Timers may fire a little early by this clock.
  const fire = () => (call.at > now() ? arm(call) : make(call))
  call.timer = setTimeout(fire, Math.min(MAX_DELAY, Math.max(0, Math.ceil(call.at - now()))))
}

function make(call: Call): void {
  clearTimeout(call.timer)
  if (calls.delete(call)) call.fn()
}

onClockSet(() => {
  const due = [...calls].filter((call) => call.at <= now()).sort((a, b) => a.at - b.at)
  for (const call of due) make(call)
  for (const call of calls) arm(call)
})

/** The clock on the wall, or what it has been set to. Its timers keep the process alive, like any other. */
export const realClock: Clock = {
  now,
  schedule(at, fn) {
    const call: Call = { at, fn, timer: undefined }
    calls.add(call)
    arm(call)
    return () => {
      clearTimeout(call.timer)
      calls.delete(call)
    }
  },
}

/** So many milliseconds, whatever the clock has been set to: for what is no protocol's. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Keeps one timer for a machine: `update` after every call into it. */
export class MachineTimer {
  readonly #clock: Clock
  readonly #machine: { poll(now: Instant): void; pollAt(): Instant | undefined }
  readonly #afterPoll: () => void
  #at: Instant | undefined
  #cancel: Cancel | undefined

  /** @param afterPoll called when the machine has been polled */
  constructor(
    clock: Clock,
    machine: { poll(now: Instant): void; pollAt(): Instant | undefined },
    afterPoll: () => void = () => {},
  ) {
    this.#clock = clock
    this.#machine = machine
    this.#afterPoll = afterPoll
  }

  update(): void {
    const at = this.#machine.pollAt()
    if (at === this.#at) return
    // A timer that fires too early polls in vain and is set again: cheaper than moving it for every message.
    if (at !== undefined && this.#at !== undefined && at > this.#at) return
    this.#cancel?.()
    this.#at = at
    this.#cancel = at === undefined ? undefined : this.#clock.schedule(at, () => this.#fire())
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#at = undefined
  }

  #fire(): void {
    this.#at = undefined
    this.#cancel = undefined
    this.#machine.poll(this.#clock.now())
    this.#afterPoll()
    this.update()
  }
}
