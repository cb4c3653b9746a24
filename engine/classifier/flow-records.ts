/**
 * What every packet of a megaflow touches: its counters, when it came, where the program begins and whether the slot
 * still belongs to the same flow. Side by side, so that a packet costs one line of the cache and not five: with ten
 * thousand flows they are far from the processor.
 */
import type { Instant } from '../../protocols/time.ts'

/** Bytes of a record, half a line of the cache. */
const RECORD = 32
/** In 64-bit numbers. */
const PACKETS = 0
const BYTES = 1
const USED = 2
const DOUBLES = RECORD / 8
/** In 32-bit words. */
const PROGRAM = 6
const GENERATION = 7
const WORDS = RECORD / 4
/**
 * The memory of large arrays begins so many bytes before a line of the cache (the C library's notes lie in front of
 * it). Where that is not so, nothing is lost but speed.
 */
export const TO_LINE = 48

export interface FlowCounts {
  readonly packets: number
  readonly bytes: number
  readonly used: Instant
  readonly tcpFlags: number
}

export class FlowRecords {
  readonly #doubles: Float64Array
  readonly #words: Int32Array
  /** All flags that TCP packets had between them: not in the record, as few packets bring one that is new. */
  readonly #tcpFlags: Uint16Array

  constructor(flows: number) {
    const buffer = new ArrayBuffer(TO_LINE + flows * RECORD)
    this.#doubles = new Float64Array(buffer, TO_LINE)
    this.#words = new Int32Array(buffer, TO_LINE)
    this.#tcpFlags = new Uint16Array(flows)
  }

  /** Counts a packet of a flow, and answers where the flow's program begins. */
  use(f: number, bytes: number, now: Instant): number {
    const at = f * DOUBLES
    const doubles = this.#doubles
    doubles[at + PACKETS]++
    doubles[at + BYTES] += bytes
    doubles[at + USED] = now
    return this.#words[f * WORDS + PROGRAM]
  }

  /** Of a packet that `use` has counted; those of the one that made the flow do not count, as it does not. */
  noteFlags(f: number, flags: number): void {
    if ((flags & ~this.#tcpFlags[f]) !== 0 && this.packets(f) > 0) this.#tcpFlags[f] |= flags
  }

  /** A flow begins. */
  begin(f: number, program: number, now: Instant): void {
    this.#tcpFlags[f] = 0
    this.#doubles[f * DOUBLES + PACKETS] = 0
    this.#doubles[f * DOUBLES + BYTES] = 0
    this.#doubles[f * DOUBLES + USED] = now
    this.#words[f * WORDS + PROGRAM] = program
  }

  /** The slot is given away: nothing that remembers the flow by it is right any more. */
  end(f: number): void {
    this.#words[f * WORDS + GENERATION]++
  }

  /** A packet that was, or will be, counted does not count. */
  discount(f: number, bytes: number): void {
    this.#doubles[f * DOUBLES + PACKETS]--
    this.#doubles[f * DOUBLES + BYTES] -= bytes
  }

  packets(f: number): number {
    return this.#doubles[f * DOUBLES + PACKETS]
  }

  bytes(f: number): number {
    return this.#doubles[f * DOUBLES + BYTES]
  }

  /** When a packet last used the flow. */
  used(f: number): Instant {
    return this.#doubles[f * DOUBLES + USED]
  }

  tcpFlags(f: number): number {
    return this.#tcpFlags[f]
  }

  /** What has been counted, to go on from there with another flow. */
  counts(f: number): FlowCounts {
    return { packets: this.packets(f), bytes: this.bytes(f), used: this.used(f), tcpFlags: this.tcpFlags(f) }
  }

  setCounts(f: number, { packets, bytes, used, tcpFlags }: FlowCounts): void {
    this.#doubles.set([packets, bytes, used], f * DOUBLES)
    this.#tcpFlags[f] = tcpFlags
  }

  /** Address of the flow's program. */
  program(f: number): number {
    return this.#words[f * WORDS + PROGRAM]
  }

  /** Counts how often the slot was given away, signed. */
  generation(f: number): number {
    return this.#words[f * WORDS + GENERATION]
  }
}
