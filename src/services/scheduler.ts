import { now } from '../../engine/sys/clock.ts'
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

/** The clock on the wall. Its timers keep the process alive, like any other. */
export const realClock: Clock = {
  now,
  schedule(at, fn) {
    let timer: NodeJS.Timeout
    const arm = () => {
      // Timers may fire a little early by this clock.
      const fire = () => (at > now() ? arm() : fn())
      timer = setTimeout(fire, Math.min(MAX_DELAY, Math.max(0, Math.ceil(at - now()))))
    }
    arm()
    return () => clearTimeout(timer)
  },
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
