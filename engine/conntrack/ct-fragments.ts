/**
 * Fragments that wait for ct() until all of their datagram are there, within what has been set: which versions of IP
 * are put together at all, how small a fragment may be that is not the last, and how many may wait. As in Open
 * vSwitch, fragments that are not admitted are invalid to the tracker.
 */
import { type Duration, type Instant, SECOND } from '../../protocols/time.ts'
import type { FragmentCounts, FragmentSettings, FragmentStatus } from '../dpif-conntrack.ts'
import { DROP_FRAGMENT_TABLE, DROP_FRAGMENT_TIMEOUT } from '../drops.ts'
import { makeFragment, readFragment } from '../fragment-header.ts'
import { type Piece, Reassembly, type ReassemblyHost } from '../reassembly.ts'

/** As in Open vSwitch, and the limits unless they are set otherwise. */
const FRAGMENT_TIME: Duration = 15 * SECOND
const USUAL: FragmentSettings = {
  maximum: 1000,
  versions: [
    { enabled: true, minSize: 1200 },
    { enabled: true, minSize: 1280 },
  ],
}

const noCounts = (): FragmentCounts => ({
  accepted: 0,
  completed: 0,
  expired: 0,
  tooSmall: 0,
  overlapped: 0,
  purged: 0,
})

export class CtFragments {
  readonly #host: ReassemblyHost
  readonly #reassembly: Reassembly
  readonly #fragment = makeFragment()
  readonly #counts: readonly [FragmentCounts, FragmentCounts] = [noCounts(), noCounts()]
  #settings = USUAL

  constructor(host: ReassemblyHost) {
    this.#host = host
    this.#reassembly = new Reassembly(host, {
      time: FRAGMENT_TIME,
      keepPieces: true,
      expired: () => {},
      released: (version, pieces, reason) => this.#count(version, pieces, reason),
    })
    this.#reassembly.maxPieces = USUAL.maximum
  }

  get status(): FragmentStatus {
    return { ...this.#settings, waiting: this.#reassembly.held, counts: this.#counts }
  }

  set settings(settings: FragmentSettings) {
    this.#settings = settings
    this.#reassembly.maxPieces = settings.maximum
  }

  /** Whether a packet, whose `l3` is set, may wait for the rest of its datagram. */
  admits(h: number): boolean {
    const { pool } = this.#host
    const version = this.#versionOf(h)
    const { enabled, minSize } = this.#settings.versions[version]
    if (!enabled) return false
    const end = pool.off[h] + pool.len[h]
    if (end - pool.l3[h] >= minSize) return true
    // What is no fragment is told so by who puts them together.
    if (!readFragment(pool.u8, pool.l3[h], end, this.#fragment) || !this.#fragment.more) return true
    this.#counts[version].tooSmall++
    return false
  }

  /** As Reassembly's. */
  add(zone: number, context: number, h: number): number {
    const held = this.#reassembly.held
    const whole = this.#reassembly.add(zone, context, h)
    if (whole >= 0 || this.#reassembly.held > held) this.#counts[this.#versionOf(h)].accepted++
    return whole
  }

  /** Of the whole that `add` has just answered with. */
  get pieces(): readonly Piece[] {
    return this.#reassembly.pieces
  }

  poll(now: Instant): void {
    this.#reassembly.poll(now)
  }

  pollAt(): Instant | undefined {
    return this.#reassembly.pollAt()
  }

  /** 0 for IPv4. */
  #versionOf(h: number): 0 | 1 {
    const { pool } = this.#host
    return pool.u8[pool.l3[h]] >>> 4 === 6 ? 1 : 0
  }

  #count(version: 0 | 1, pieces: number, reason: number): void {
    const counts = this.#counts[version]
    if (reason === 0) counts.completed += pieces
    else if (reason === DROP_FRAGMENT_TIMEOUT) counts.expired += pieces
    else if (reason === DROP_FRAGMENT_TABLE) counts.purged += pieces
    // The others were well; it is the one that came last that is counted.
    else counts.overlapped++
  }
}
