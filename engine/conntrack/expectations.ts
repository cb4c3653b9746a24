/**
 * Connections that a helper has seen announced: the tuple of their first packet but for its source port, which
 * nobody can know. Each serves one connection, lives as long as its master does, and five minutes at the most.
 */
import { type Duration, type Instant, SECOND } from '../../protocols/time.ts'

/** Time in which the connection must begin, as in Linux. */
export const EXPECTATION_TIME: Duration = 300 * SECOND
/** Expectations of a master, and in all; beyond either the oldest makes room. */
const MAX_PER_MASTER = 8
const MAX_EXPECTATIONS = 1024

export interface Expectation {
  /** Of the connection tracker's table; addresses are those of its tuples. */
  readonly zone: number
  readonly proto: number
  readonly src: number
  readonly dst: number
  /** Destination port. */
  readonly port: number
  /** The connection on which it was announced. */
  readonly master: number
  /** What its answers will be like: addresses, and the port they come from. */
  readonly replySrc: number
  readonly replyDst: number
  readonly replyPort: number
  /** For ct(): what packets of the connection carry in ct_mark, ct_label and the words of the master's tuple. */
  readonly marks?: Uint32Array
  readonly original?: Uint32Array
}

interface Pending {
  readonly expectation: Expectation
  readonly due: Instant
}

export class Expectations {
  /** In order of their due times. */
  readonly #pending = new Map<string, Pending>()

  get count(): number {
    return this.#pending.size
  }

  add(expectation: Expectation, now: Instant): void {
    const key = keyOf(expectation)
    this.#pending.delete(key)
    const own = [...this.#pending.values()].filter((p) => p.expectation.master === expectation.master)
    if (own.length >= MAX_PER_MASTER) this.remove(own[0].expectation)
    if (this.#pending.size >= MAX_EXPECTATIONS) {
      for (const oldest of this.#pending.keys()) {
        this.#pending.delete(oldest)
        break
      }
    }
    this.#pending.set(key, { expectation, due: now + EXPECTATION_TIME })
  }

  find(
    zone: number,
    proto: number,
    src: number,
    dst: number,
    port: number,
    now: Instant,
  ): Expectation | undefined {
    // Every stranger is asked about: without expectations it costs nothing.
    if (this.#pending.size === 0) return undefined
    const found = this.#pending.get(keyOf({ zone, proto, src, dst, port }))
    return found === undefined || found.due <= now ? undefined : found.expectation
  }

  /** It has come about, or never will. */
  remove(expectation: Expectation): void {
    this.#pending.delete(keyOf(expectation))
  }

  /** The master is gone. */
  forget(master: number): void {
    for (const { expectation } of this.#pending.values()) {
      if (expectation.master === master) this.remove(expectation)
    }
  }
}

function keyOf(e: Pick<Expectation, 'zone' | 'proto' | 'src' | 'dst' | 'port'>): string {
  return `${e.zone} ${e.proto} ${e.src} ${e.dst} ${e.port}`
}
