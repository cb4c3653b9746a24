/**
 * What ct() does to single packets: helpers, ICMP errors, fragments.
 *
 * Fragments wait until all of a datagram are there. The tracker is shown the whole; then the fragments go on
 * one by one, each with what ct() has made of the whole, as in Open vSwitch's userspace datapath. Those of a
 * datagram that does not become whole, or whose fragments overlap, are dropped.
 */
import type { Instant } from '../../protocols/time.ts'
import type { CtOperations } from '../actions/execute.ts'
import { HELP_TRANSLATE } from '../actions/ops.ts'
import { DROP_CT_HELPER, DROP_RECIRC } from '../drops.ts'
import { type ConnectionTracker, CT_BAD_PAYLOAD, CT_FINE, CT_MISFIT } from '../ofproto/connection-tracker.ts'
import type { ReassemblyHost } from '../reassembly.ts'
import type { Conntrack } from './conntrack.ts'
import { CtFragments } from './ct-fragments.ts'
import { HELP_INVALID, HELP_PASS, HELP_SWALLOW } from './ftp-stream.ts'

/** The datapath, where translations go on. */
export interface CtHost extends ReassemblyHost {
  /**
   * Goes on with the translation kept under a number.
   * @param whole what ct() has made of the datagram of which the packet is a fragment
   */
  resume(id: number, h: number, ctInvalid: number, whole?: Uint32Array): void
  /** What the ct() where a translation waits makes of a whole datagram; undefined where nothing can come of it. */
  trackWhole(id: number, h: number): Uint32Array | undefined
}

export class CtSlowPath implements CtOperations {
  readonly #host: CtHost
  readonly #conntrack: Conntrack
  readonly #tracker: ConnectionTracker
  readonly fragments: CtFragments

  constructor(host: CtHost, conntrack: Conntrack, tracker: ConnectionTracker) {
    this.#host = host
    this.#conntrack = conntrack
    this.#tracker = tracker
    this.fragments = new CtFragments(host)
  }

  retrack(id: number, h: number): void {
    this.#host.resume(id, h, this.#conntrack.ignored ? CT_MISFIT : CT_FINE)
  }

  help(connection: number, direction: number, id: number, h: number): boolean {
    const { pool, now } = this.#host
    const translate = (direction & HELP_TRANSLATE) !== 0
    const verdict = this.#conntrack.helpers.help(connection, direction & 1, translate, pool, h, now)
    if (verdict === HELP_SWALLOW) this.#host.drop(DROP_CT_HELPER, h)
    if (verdict === HELP_PASS || (verdict === HELP_INVALID && id < 0)) return true
    if (verdict === HELP_INVALID) this.#host.resume(id, h, CT_BAD_PAYLOAD)
    return false
  }

  quoted(connection: number, direction: number, h: number): void {
    this.#tracker.quoted(connection, direction, h)
  }

  collect(zone: number, id: number, h: number): void {
    const { pool } = this.#host
    if (!this.fragments.admits(h)) {
      this.#host.resume(id, h, CT_MISFIT)
      return
    }
    const whole = this.fragments.add(zone, id, h)
    if (whole < 0) return
    const { pieces } = this.fragments
    const made = this.#host.trackWhole(id, whole)
    pool.free(whole)
    for (const piece of pieces) {
      if (made === undefined) this.#host.drop(DROP_RECIRC, piece.h)
      else this.#host.resume(piece.context, piece.h, CT_FINE, made)
      pool.free(piece.h)
    }
  }

  /** Gives up datagrams that did not become whole. */
  poll(now: Instant): void {
    this.fragments.poll(now)
  }

  pollAt(): Instant | undefined {
    return this.fragments.pollAt()
  }
}
