/** The control side's end of the ring of flow-mods: streams share it, and each waits for its own. */
import { elapsed } from '../sys/clock.ts'
import type { FlowModNews } from './intake.ts'
import { Patience } from './patience.ts'
import type { FlowModRing } from './ring.ts'
import type { FlowModStream, OnRefused } from './stream.ts'

/**
 * How long the dataplane is waited for in place, in milliseconds: first awake, several times what a few flow-mods take,
 * then asleep, which costs less than to come back by way of the event loop.
 */
const AWAKE = 0.1
const ASLEEP = 1
/** Looks at the ring between two at the clock. */
const LOOKS = 64

export interface OutletOptions {
  readonly ring: FlowModRing
  /** Ends the sleep of the dataplane's thread, if it sleeps. */
  readonly rouse: () => void
  /** Takes in what the dataplane has sent by message so far, `posted` messages in all. */
  readonly catchUp: (posted: number) => void
}

interface Waiting {
  readonly count: number
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

export class FlowModOutlet {
  readonly #options: OutletOptions
  readonly #streams = new Map<number, OnRefused>()
  readonly #waiting: Waiting[] = []
  readonly #patience = new Patience(AWAKE)
  #lastStream = 0
  /** Messages pushed, and of them those that are known to have been carried out. */
  #pushed = 0
  #done = 0
  #ended: Error | undefined

  constructor(options: OutletOptions) {
    this.#options = options
  }

  /** @param close takes the stream of that number away from the dataplane */
  open(onRefused: OnRefused, close: (stream: number) => void): { id: number; stream: FlowModStream } {
    const id = ++this.#lastStream
    this.#streams.set(id, onRefused)
    let last = 0
    const stream: FlowModStream = {
      push: (bytes, tableIdExtension) => {
        if (!this.#push(id, bytes, tableIdExtension)) return false
        last = this.#pushed
        return true
      },
      room: () => this.#wait(this.#done + Math.ceil((this.#pushed - this.#done) / 2)),
      settle: () => this.#settle(last),
      settled: () => this.#wait(last),
      close: () => {
        if (!this.#streams.delete(id)) return
        this.#wait(last).then(
          () => close(id),
          () => {
            // The dataplane has ended, and its streams with it.
          },
        )
      },
    }
    return { id, stream }
  }

  /** News by message. */
  receive({ refused }: FlowModNews): void {
    for (const { stream, error, bytes } of refused) this.#streams.get(stream)?.(error, bytes)
    this.#look()
  }

  /** The dataplane has ended: whoever waits does so in vain. */
  end(reason: Error): void {
    this.#ended = reason
    for (const { reject } of this.#waiting.splice(0)) reject(reason)
  }

  #push(id: number, bytes: Uint8Array, tableIdExtension: boolean): boolean {
    const { ring, rouse } = this.#options
    if (!ring.push(id, bytes, tableIdExtension)) return false
    this.#pushed++
    rouse()
    return true
  }

  #settle(count: number): boolean {
    const { ring } = this.#options
    if (!this.#isDone(count)) {
      if (this.#ended !== undefined) return false
      this.#waitAwake(count)
      if (!this.#isDone(count)) ring.block(this.#done, ASLEEP)
      if (!this.#isDone(count)) return false
    }
    this.#options.catchUp(ring.posted)
    return true
  }

  #waitAwake(count: number): void {
    let last = elapsed()
    this.#patience.begin(last)
    for (let looks = 1; !this.#isDone(count); looks++) {
      if (looks % LOOKS !== 0) continue
      const before = last
      last = elapsed()
      if (!this.#patience.lasts(before, last)) return
    }
  }

  #isDone(count: number): boolean {
    if (this.#done < count) this.#done += (this.#options.ring.done - this.#done) | 0
    return this.#done >= count
  }

  #wait(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) reject(this.#ended)
      this.#waiting.push({ count, resolve, reject })
      this.#look()
    })
  }

  /** Lets go of who need not wait any more, and asks to be told for the others. */
  #look(): void {
    const { ring, catchUp } = this.#options
    while (this.#waiting.length > 0) {
      this.#waiting.sort((a, b) => a.count - b.count)
      if (this.#isDone(this.#waiting[0]!.count)) {
        const { resolve } = this.#waiting.shift()!
        catchUp(ring.posted)
        resolve()
        continue
      }
      const { count } = this.#waiting[0]!
      ring.want(count)
      // It may have got there while it was being asked.
      if (!this.#isDone(count)) return
    }
  }
}
