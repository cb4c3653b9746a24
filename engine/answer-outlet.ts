/** The services' end of the ring by which their answers go to the dataplane. */
import { ByInterface } from './by-interface.ts'
import { FrameWriter } from './frame-ring.ts'
import type { AnswerWay } from './service-frames.ts'

/** Answers that wait at the most for others before the dataplane is roused: so many go out while the next are made. */
const TOGETHER = 32

interface NumberedWay {
  readonly id: number
  readonly way: AnswerWay
}

export class AnswerOutlet {
  readonly #ring: FrameWriter<AnswerWay>
  readonly #rouse: () => void
  /** One number and one object each. */
  readonly #ways = new ByInterface<NumberedWay>()
  #wayCount = 0
  #waiting = 0

  /** @param rouse ends the sleep of the dataplane's thread, if it sleeps */
  constructor(memory: SharedArrayBuffer, rouse: () => void) {
    this.#ring = new FrameWriter(memory)
    this.#rouse = rouse
  }

  /** False: there is no room. */
  put(router: string, iface: string | undefined, frame: Uint8Array): boolean {
    const { id, way } = this.#wayOf(router, iface)
    if (!this.#ring.put(id, id, way, frame, 0, frame.length)) return false
    if (this.#waiting++ === 0) queueMicrotask(() => this.#flush())
    else if (this.#waiting % TOGETHER === 0) this.#rouse()
    return true
  }

  #flush(): void {
    this.#waiting = 0
    this.#rouse()
  }

  #wayOf(router: string, iface: string | undefined): NumberedWay {
    let known = this.#ways.get(router, iface)
    if (known === undefined) {
      known = { id: this.#wayCount++, way: { router, interface: iface } }
      this.#ways.set(router, iface, known)
    }
    return known
  }
}
