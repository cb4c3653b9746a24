/**
 * The queues of one port, and what comes out of them when. A frame that may leave at once does, without being
 * copied; any other waits as a copy of its own.
 */
import type { Duration, Instant } from '../../protocols/time.ts'
import type { QosSpec, QueueSpec } from '../dpif-qos.ts'
import { packetCount } from '../netdev/segmentation.ts'
import type { FrameStore } from './frame-store.ts'
import { Htb, type HtbClass } from './htb.ts'
import { wireLength } from './wire-length.ts'

/** Where frames go. */
export interface ShaperOutput {
  readonly now: Instant
  /** Hands a frame, which stays the caller's, to a port's device; 0, or the reason (DROP_*) why it was not sent. */
  send(portNo: number, h: number): number
  /** Counts a drop; the frame stays the caller's. */
  drop(reason: number, h: number): void
}

export type ShapingSpec = Extract<QosSpec, { readonly type: 'linux-htb' | 'linux-hfsc' }>

/** Bits a second, as the guarantee of a queue that asks for none. */
const DEFAULT_MIN_RATE = 12_000
/** Bytes of credit at the least: a frame of ordinary size, as Open vSwitch has it … */
const MIN_BURST = 1564
/** … and what is sent in this time: what arrives together cannot be told apart by time. */
const MIN_BURST_TIME: Duration = 1
/** A queue holds what its highest rate sends in this time, so that nobody waits much longer … */
const DEPTH: Duration = 100
/** … but at least two frames of the largest size. */
const MIN_DEPTH = 2 * 65_536

const BYTES_PER_MS = 1 / 8000

/** What a queue counts; goes on when the rates change. */
class QueueCounters {
  packets = 0
  bytes = 0
  errors = 0
  readonly since: Instant

  constructor(since: Instant) {
    this.since = since
  }
}

export class PortShaper {
  readonly spec: ShapingSpec
  /** By class: by priority, then by number. */
  readonly queues: readonly QueueSpec[]
  readonly counters: QueueCounters[]
  readonly #portNo: number
  readonly #store: FrameStore
  readonly #output: ShaperOutput
  readonly #classes: readonly HtbClass[]
  readonly #htb: Htb
  readonly #classOf = new Map<number, number>()
  readonly #default: number
  readonly #head: Int32Array
  readonly #tail: Int32Array
  readonly #held: Uint32Array
  readonly #heldBytes: Float64Array
  readonly #depth: Float64Array
  #waiting = 0
  /** Frames have been sent as of then. */
  readonly #clock = new Float64Array(1)

  /** @param before what the port had until now: its frames, credits and counters are taken over */
  constructor(
    portNo: number,
    spec: ShapingSpec,
    store: FrameStore,
    output: ShaperOutput,
    now: Instant,
    before?: PortShaper,
  ) {
    this.spec = spec
    this.#portNo = portNo
    this.#store = store
    this.#output = output
    this.#clock[0] = now
    this.queues = inOrder(spec)
    this.#classes = this.queues.map((queue) => classOf(queue, spec))
    const rate = spec.maxRate * BYTES_PER_MS
    this.#htb = new Htb(rate, leastBurst(rate), this.#classes, now)
    for (const [c, { queue }] of this.queues.entries()) this.#classOf.set(queue, c)
    this.#default = this.#classOf.get(0)!
    const n = this.queues.length
    this.counters = this.queues.map(() => new QueueCounters(now))
    this.#head = new Int32Array(n).fill(-1)
    this.#tail = new Int32Array(n).fill(-1)
    this.#held = new Uint32Array(n)
    this.#heldBytes = new Float64Array(n)
    this.#depth = Float64Array.from(this.#classes, ({ ceil }) => Math.max(MIN_DEPTH, ceil * DEPTH))
    if (before !== undefined) this.#adopt(before)
  }

  /** Takes everything over. Frames of a queue that is no more go on in queue 0. */
  #adopt(before: PortShaper): void {
    this.#htb.adoptRoot(before.#htb)
    before.queues.forEach(({ queue }, old) => {
      const c = this.#classOf.get(queue)
      if (c !== undefined) {
        this.#htb.adopt(c, before.#htb, old)
        this.counters[c] = before.counters[old]
      }
      const to = c ?? this.#default
      for (let h = before.#shift(old); h >= 0; h = before.#shift(old)) this.#push(to, h)
    })
  }

  /** Sends a frame, now or later, or drops it for `full`; it stays the caller's. */
  enqueue(queue: number, h: number, full: number): void {
    this.advance()
    const pool = this.#store.pool
    const c = this.#classOf.get(queue) ?? this.#default
    const bytes = wireLength(pool, h)
    if (this.#held[c] === 0 && this.#htb.ready(c)) {
      this.#htb.charge(c, bytes)
      this.#send(c, h, bytes)
      return
    }
    const fits = this.#heldBytes[c] + bytes <= this.#depth[c] && this.#store.admits(this.#held[c])
    const copy = fits ? pool.clone(h) : -1
    if (copy < 0) {
      this.counters[c].errors += packetCount(pool, h)
      this.#output.drop(full, h)
      return
    }
    this.#store.wire[copy] = bytes
    this.#push(c, copy)
  }

  /** Sends what might have left by now, each frame as of the moment when it might. */
  advance(): void {
    const { now } = this.#output
    while (this.#waiting > 0) {
      const at = this.due()
      if (at > now) break
      this.#clock[0] = at
      this.#htb.now = at
      const c = this.#htb.pick()
      const h = this.#shift(c)
      const bytes = this.#store.wire[h]
      this.#htb.charge(c, bytes)
      this.#send(c, h, bytes)
      this.#store.pool.free(h)
    }
    if (now > this.#clock[0]) this.#clock[0] = now
    this.#htb.now = this.#clock[0]
  }

  /** When the next frame leaves. */
  due(): Instant {
    return this.#waiting === 0 ? Number.POSITIVE_INFINITY : Math.max(this.#clock[0], this.#htb.nextDue())
  }

  /** Sends everything at once. */
  flush(): void {
    this.#drain((c, h) => this.#send(c, h, this.#store.wire[h]))
  }

  /** Drops everything. */
  discard(reason: number): void {
    this.#drain((_, h) => this.#output.drop(reason, h))
  }

  #drain(each: (c: number, h: number) => void): void {
    for (let c = 0; c < this.queues.length; c++) {
      for (let h = this.#shift(c); h >= 0; h = this.#shift(c)) {
        each(c, h)
        this.#store.pool.free(h)
      }
    }
  }

  /** What holds for a class: rates in bits a second, burst in bits. */
  effective(c: number): { readonly minRate: number; readonly maxRate: number; readonly burst: number } {
    const { rate, ceil, burst } = this.#classes[c]
    const bits = (perMs: number) => Math.round(perMs / BYTES_PER_MS)
    return { minRate: bits(rate), maxRate: bits(ceil), burst: burst * 8 }
  }

  get isIdle(): boolean {
    return this.#waiting === 0
  }

  held(c: number): { readonly waiting: number; readonly waitingBytes: number } {
    return { waiting: this.#held[c], waitingBytes: this.#heldBytes[c] }
  }

  #send(c: number, h: number, bytes: number): void {
    const packets = packetCount(this.#store.pool, h)
    const counters = this.counters[c]
    if (this.#output.send(this.#portNo, h) === 0) {
      counters.packets += packets
      counters.bytes += bytes
    } else counters.errors += packets
  }

  #push(c: number, h: number): void {
    const { next, wire } = this.#store
    next[h] = -1
    if (this.#tail[c] < 0) this.#head[c] = h
    else next[this.#tail[c]] = h
    this.#tail[c] = h
    this.#held[c]++
    this.#heldBytes[c] += wire[h]
    this.#waiting++
    this.#store.count++
    this.#htb.waiting[c] = 1
  }

  /** The first frame of a class, which becomes the caller's; -1 for none. */
  #shift(c: number): number {
    const h = this.#head[c]
    if (h < 0) return -1
    this.#head[c] = this.#store.next[h]
    this.#held[c]--
    this.#heldBytes[c] -= this.#store.wire[h]
    this.#waiting--
    this.#store.count--
    if (this.#head[c] < 0) {
      this.#tail[c] = -1
      this.#htb.emptied(c)
    }
    return h
  }
}

/** The queues in the order of their classes; queue 0 is always among them. */
function inOrder({ type, queues }: ShapingSpec): QueueSpec[] {
  const all = queues.some((q) => q.queue === 0) ? [...queues] : [{ queue: 0 }, ...queues]
  const priority = (q: QueueSpec) => (type === 'linux-htb' ? (q.priority ?? 0) : 0)
  return all.sort((a, b) => priority(a) - priority(b) || a.queue - b.queue)
}

function leastBurst(rate: number): number {
  return Math.max(MIN_BURST, rate * MIN_BURST_TIME)
}

/** Rates that contradict each other are understood as Open vSwitch does: the port's maxRate above all. */
function classOf(queue: QueueSpec, { type, maxRate }: ShapingSpec): HtbClass {
  const minRate = Math.max(queue.minRate ?? 0, DEFAULT_MIN_RATE)
  const ceil = Math.min(Math.max(queue.maxRate ?? maxRate, minRate), maxRate)
  const htb = type === 'linux-htb'
  return {
    rate: Math.min(minRate, ceil) * BYTES_PER_MS,
    ceil: ceil * BYTES_PER_MS,
    burst: Math.max(leastBurst(ceil * BYTES_PER_MS), htb ? (queue.burst ?? 0) / 8 : 0),
    priority: htb ? (queue.priority ?? 0) : 0,
  }
}
