/**
 * When to connect again: at once, then after 1 s, doubled with each failure up to a limit; a connection that
 * held longer than the wait before it begins anew (as Open vSwitch's rconn does). Pure: time is an argument.
 */

import { type Duration, type Instant, SECOND } from './time.ts'

export const MIN_BACKOFF: Duration = SECOND
export const DEFAULT_MAX_BACKOFF: Duration = 8 * SECOND

export type ReconnectState = 'void' | 'connecting' | 'connected' | 'backoff'

export class Reconnect {
  private longest: Duration
  private backoff: Duration = 0
  /** Who loses the connection from then on starts over. */
  private deadline: Instant | undefined
  private entered: Instant
  private current: ReconnectState = 'void'

  /** Wants to connect at once: poll it. */
  constructor(now: Instant, maxBackoff: Duration = DEFAULT_MAX_BACKOFF) {
    this.longest = Math.max(MIN_BACKOFF, maxBackoff)
    this.entered = now
  }

  get state(): ReconnectState {
    return this.current
  }

  /** How long the wait is, or was before the connection that stands. */
  get wait(): Duration {
    return this.backoff
  }

  /** Holds for the waits to come. */
  set maxBackoff(span: Duration) {
    this.longest = Math.max(MIN_BACKOFF, span)
  }

  private enter(now: Instant, state: ReconnectState): void {
    this.current = state
    this.entered = now
  }

  /** When `poll` wants to be called; undefined while the connection stands. */
  pollAt(): Instant | undefined {
    switch (this.current) {
      case 'void':
        return this.entered
      case 'connecting':
        return this.entered + Math.max(MIN_BACKOFF, this.backoff)
      case 'backoff':
        return this.entered + this.backoff
      case 'connected':
        return undefined
    }
  }

  /**
   * 'connect': begin an attempt now. 'timeout': give up the attempt that is under way (it counts as failed already).
   */
  poll(now: Instant): 'connect' | 'timeout' | undefined {
    const at = this.pollAt()
    if (at === undefined || now < at) return undefined
    if (this.current === 'connecting') {
      this.deadline = undefined
      this.lost(now)
      return 'timeout'
    }
    this.deadline = now + this.backoff
    this.enter(now, 'connecting')
    return 'connect'
  }

  /** The attempt succeeded, HELLOs exchanged. */
  connected(now: Instant): void {
    this.enter(now, 'connected')
  }

  /** The attempt could not even begin (no such host, no such file). */
  refused(now: Instant): void {
    this.deadline = undefined
    this.lost(now)
  }

  /** The attempt failed or the connection ended. */
  disconnected(now: Instant): void {
    this.lost(now)
  }

  private lost(now: Instant): void {
    if (this.deadline !== undefined && now >= this.deadline) this.backoff = MIN_BACKOFF
    else if (this.backoff < this.longest / 2) this.backoff = Math.max(MIN_BACKOFF, 2 * this.backoff)
    else this.backoff = this.longest
    this.deadline = now + this.backoff
    this.enter(now, 'backoff')
  }
}
