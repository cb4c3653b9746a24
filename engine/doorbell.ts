/**
 * How one thread gets another to look at what it has left for it. Who looks often anyway is not disturbed: waking a
 * thread costs far more than anything else between the two, and a thread that is awake needs none of it.
 *
 * Who is about to sleep says so first and then looks once more at everything that may have been left; who leaves
 * something does that first and then looks whether the other sleeps. With the order that Atomics keep, one of both
 * sees the other.
 */
import { WakeFd } from './sys/wake-fd.ts'

const SLEEPING = 0
const RUNG = 1

/** What the other thread needs for its end. */
export interface DoorbellPlug {
  readonly memory: SharedArrayBuffer
  readonly fd: number
}

export class Doorbell {
  readonly plug: DoorbellPlug
  readonly #control: Int32Array
  readonly #wake: WakeFd

  constructor(plug?: DoorbellPlug) {
    const memory = plug?.memory ?? new SharedArrayBuffer(64)
    this.#control = new Int32Array(memory)
    this.#wake = new WakeFd(plug?.fd)
    this.plug = { memory, fd: this.#wake.fd }
  }

  /** To be watched by who sleeps in poll(). */
  get fd(): number {
    return this.plug.fd
  }

  /** There is a message. Many rings before it is heard are one. */
  ring(): void {
    Atomics.store(this.#control, RUNG, 1)
    this.rouse()
  }

  /** Ends the other's sleep, if it sleeps, for something that it looks at by itself. */
  rouse(): void {
    if (Atomics.load(this.#control, SLEEPING) === 0) return
    if (Atomics.exchange(this.#control, SLEEPING, 0) === 1) this.#wake.signal()
  }

  /** Whether it has been rung, and not yet heard. */
  get rung(): boolean {
    return Atomics.load(this.#control, RUNG) === 1
  }

  /** Whether it has been rung since this was last asked. */
  heard(): boolean {
    return Atomics.load(this.#control, RUNG) === 1 && Atomics.exchange(this.#control, RUNG, 0) === 1
  }

  /** Says that sleep is near; whoever says so looks at everything once more. @returns false: it was rung, stay up */
  doze(): boolean {
    Atomics.store(this.#control, SLEEPING, 1)
    if (Atomics.load(this.#control, RUNG) === 0) return true
    this.awake()
    return false
  }

  /** @param woken by a signal, which is to be taken off the descriptor */
  awake(woken = false): void {
    Atomics.store(this.#control, SLEEPING, 0)
    if (woken) this.#wake.drain()
  }

  /** Once, by one of the threads, when no thread uses it any more. */
  close(): void {
    this.#wake.close()
  }
}
