/**
 * The hierarchical token bucket of one port, numbers only: which class may send, and when. What `linux-htb`
 * means in Open vSwitch: one root with the port's rate, below it the classes (queues).
 *
 * A class has two buckets: one filled at its guaranteed rate, one at the rate it must never exceed. It may send
 * at any time that neither is in debt; when only the guaranteed one is, it may still borrow, if the root is not
 * in debt. Sending may put a bucket into debt, by any amount: so a frame longer than the burst does not wait for
 * ever, it makes the next one wait longer. Guarantees come before loans, smaller priorities before larger ones,
 * and classes of one priority share by deficit round robin (Shreedhar and Varghese, 1995), in proportion to
 * their guaranteed rates.
 *
 * Nothing here depends on when it is called: `due` says to the fraction of a millisecond when a class may send,
 * and who comes late sends as of then. A timer's granularity costs no bandwidth.
 *
 * Rates are bytes a millisecond; sizes and bursts are bytes.
 */
import type { Duration, Instant } from '../../protocols/time.ts'

export interface HtbClass {
  /** Guaranteed. */
  readonly rate: number
  /** Never exceeded. */
  readonly ceil: number
  readonly burst: number
  readonly priority: number
}

const NEVER = Number.POSITIVE_INFINITY
/** The root forgets debts older than this: guarantees that exceed its rate would have it in debt for ever. */
const MAX_DEBT: Duration = 60_000
/** What a class may send in its turn: a tenth of a second's worth within these bounds, as the kernel has it. */
const MIN_QUANTUM = 1514
const MAX_QUANTUM = 200_000

export class Htb {
  readonly count: number
  /** By class: 1 while it has something to send. Kept by who queues. */
  readonly waiting: Uint8Array
  readonly #rate: Float64Array
  readonly #ceil: Float64Array
  readonly #burst: Float64Array
  readonly #tokens: Float64Array
  readonly #ceilTokens: Float64Array
  /** When the tokens of a class were counted. */
  readonly #last: Float64Array
  readonly #quantum: Float64Array
  /** Two rows, for guarantees and for loans. */
  readonly #deficit: Float64Array
  /** Where each priority's round has got to; two rows. */
  readonly #cursor: Int32Array
  /** First class of each priority, and behind them the number of classes. */
  readonly #groups: Int32Array
  readonly #rootRate: number
  readonly #rootBurst: number
  /** Tokens, and when they were counted. Numbers with a fraction live in arrays: as fields they are allocated. */
  readonly #root: Float64Array
  readonly #now = new Float64Array(1)

  /**
   * @param rate of the root
   * @param classes by priority, smallest first
   */
  constructor(rate: number, burst: number, classes: readonly HtbClass[], now: Instant) {
    const n = classes.length
    this.count = n
    this.waiting = new Uint8Array(n)
    this.#rate = Float64Array.from(classes, (c) => c.rate)
    this.#ceil = Float64Array.from(classes, (c) => c.ceil)
    this.#burst = Float64Array.from(classes, (c) => c.burst)
    this.#tokens = this.#burst.slice()
    this.#ceilTokens = this.#burst.slice()
    this.#last = new Float64Array(n).fill(now)
    this.#quantum = this.#rate.map((r) => Math.min(MAX_QUANTUM, Math.max(MIN_QUANTUM, r * 100)))
    this.#deficit = new Float64Array(2 * n)
    const first = classes.flatMap((c, i) => (i === 0 || classes[i - 1].priority !== c.priority ? [i] : []))
    this.#groups = Int32Array.of(...first, n)
    this.#cursor = Int32Array.of(...first, ...first)
    this.#rootRate = rate
    this.#rootBurst = burst
    this.#root = Float64Array.of(burst, now)
    this.#now[0] = now
  }

  /** Takes over what a class of another tree has saved up or owes. */
  adopt(c: number, from: Htb, other: number): void {
    this.#tokens[c] = Math.min(this.#burst[c], from.#tokens[other])
    this.#ceilTokens[c] = Math.min(this.#burst[c], from.#ceilTokens[other])
    this.#last[c] = from.#last[other]
  }

  /** The same for the root. */
  adoptRoot(from: Htb): void {
    this.#root[0] = Math.min(this.#rootBurst, from.#root[0])
    this.#root[1] = from.#root[1]
  }

  /** The moment that `ready`, `pick` and `charge` speak of. */
  set now(at: Instant) {
    this.#now[0] = at
  }

  /** Whether a class may send now. */
  ready(c: number): boolean {
    return this.#ceilReady(c) && (this.#ownReady(c) || this.#rootReady())
  }

  /** Since or from when a class may send. */
  due(c: number): Instant {
    return Math.max(this.#ceilDue(c), Math.min(this.#ownDue(c), this.#rootDue()))
  }

  /** The earliest of those that have something to send. */
  nextDue(): Instant {
    let next = NEVER
    for (let c = 0; c < this.count; c++) if (this.waiting[c] === 1) next = Math.min(next, this.due(c))
    return next
  }

  /** The class whose turn it is among those that have something to send and may; -1 for none. */
  pick(): number {
    const own = this.#pickRow(0)
    return own >= 0 || !this.#rootReady() ? own : this.#pickRow(1)
  }

  /** A class sends so many bytes. */
  charge(c: number, bytes: number): void {
    const at = this.#now[0]
    const borrowed = !this.#ownReady(c)
    const elapsed = at - this.#last[c]
    const burst = this.#burst[c]
    this.#tokens[c] = Math.min(burst, this.#tokens[c] + elapsed * this.#rate[c]) - (borrowed ? 0 : bytes)
    this.#ceilTokens[c] = Math.min(burst, this.#ceilTokens[c] + elapsed * this.#ceil[c]) - bytes
    this.#last[c] = at
    const root = this.#root
    const saved = Math.min(this.#rootBurst, root[0] + (at - root[1]) * this.#rootRate)
    root[0] = Math.max(saved - bytes, -MAX_DEBT * this.#rootRate)
    root[1] = at
    this.#deficit[borrowed ? this.count + c : c] -= bytes
  }

  /** Credit of the round is not saved up by who has nothing to send; debts stay. */
  emptied(c: number): void {
    this.waiting[c] = 0
    for (let i = c; i < 2 * this.count; i += this.count) this.#deficit[i] = Math.min(0, this.#deficit[i])
  }

  #pickRow(row: 0 | 1): number {
    const groups = this.#groups.length - 1
    for (let g = 0; g < groups; g++) {
      const begin = this.#groups[g]
      const end = this.#groups[g + 1]
      let able = 0
      let last = -1
      for (let c = begin; c < end; c++) {
        if (!this.#able(row, c)) continue
        able++
        last = c
      }
      if (able === 0) continue
      if (able > 1) return this.#takeTurn(row, g, begin, end)
      // Nobody is kept waiting by it: what it has sent in its turns is forgotten.
      this.#deficit[row * this.count + last] = 0
      return last
    }
    return -1
  }

  #takeTurn(row: 0 | 1, g: number, begin: number, end: number): number {
    const cursor = row * (this.#groups.length - 1) + g
    for (;;) {
      const c = this.#cursor[cursor]
      if (this.#able(row, c)) {
        if (this.#deficit[row * this.count + c] > 0) return c
        this.#deficit[row * this.count + c] += this.#quantum[c]
      }
      this.#cursor[cursor] = c + 1 === end ? begin : c + 1
    }
  }

  #able(row: 0 | 1, c: number): boolean {
    return this.waiting[c] === 1 && this.#ceilReady(c) && (row === 1 || this.#ownReady(c))
  }

  // Answers with a fraction would be allocated.
  #ownReady(c: number): boolean {
    const tokens = this.#tokens[c]
    return tokens >= 0 || this.#last[c] - tokens / this.#rate[c] <= this.#now[0]
  }

  #ceilReady(c: number): boolean {
    const tokens = this.#ceilTokens[c]
    return tokens >= 0 || this.#last[c] - tokens / this.#ceil[c] <= this.#now[0]
  }

  #rootReady(): boolean {
    const tokens = this.#root[0]
    return tokens >= 0 || this.#root[1] - tokens / this.#rootRate <= this.#now[0]
  }

  #ownDue(c: number): Instant {
    const tokens = this.#tokens[c]
    return tokens >= 0 ? this.#last[c] : this.#last[c] - tokens / this.#rate[c]
  }

  #ceilDue(c: number): Instant {
    const tokens = this.#ceilTokens[c]
    return tokens >= 0 ? this.#last[c] : this.#last[c] - tokens / this.#ceil[c]
  }

  #rootDue(): Instant {
    const tokens = this.#root[0]
    const last = this.#root[1]
    return tokens >= 0 ? last : last - tokens / this.#rootRate
  }
}
