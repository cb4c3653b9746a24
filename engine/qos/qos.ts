/**
 * Quality of service of all ports: who shapes, who polices. What a frame costs on a port that does neither is
 * one look at `egress` on its way out, and one a burst at `ingress` on its way in.
 */
import type { Instant } from '../../protocols/time.ts'
import type { IngressPolicingSpec, QosSpec } from '../dpif-qos.ts'
import { DROP_EGRESS_POLICER, DROP_INGRESS_POLICING, DROP_PORT_DOWN, DROP_QUEUE_FULL } from '../drops.ts'
import type { PacketPool } from '../memory/packet-pool.ts'
import { packetCount } from '../netdev/segmentation.ts'
import { FrameStore } from './frame-store.ts'
import { Policer } from './policer.ts'
import { PortShaper, type ShaperOutput } from './port-shaper.ts'
import { wireLength } from './wire-length.ts'

/** The datapath, seen from here. */
export interface QosHost extends ShaperOutput {
  readonly pool: PacketPool
}

/** Of what a policer on the way out counts. */
const ETHERNET = 14

interface Settings {
  readonly qos: QosSpec | undefined
  readonly policing: IngressPolicingSpec | undefined
}

const NEVER = Number.POSITIVE_INFINITY

export class Qos {
  /** By datapath port number: 1 where output goes through `enqueue`. */
  readonly egress: Uint8Array
  /** By datapath port number: 1 where input goes through `admit`. */
  readonly ingress: Uint8Array
  readonly #host: QosHost
  readonly #store: FrameStore
  readonly #settings = new Map<number, Settings>()
  readonly #shapers: (PortShaper | undefined)[] = []
  readonly #policers: (Policer | undefined)[] = []
  readonly #ingress: (Policer | undefined)[] = []
  /** Ports that shape. */
  #shaping: readonly number[] = []
  /** No later than the next frame may leave. */
  #due: Instant = NEVER

  /** @param ports port numbers are below this */
  constructor(host: QosHost, ports: number) {
    this.#host = host
    this.egress = new Uint8Array(ports)
    this.ingress = new Uint8Array(ports)
    this.#store = new FrameStore(host.pool, host.pool.cells >>> 2)
  }

  /** Makes a port's quality of service what it is to be. Waiting frames, credits and counters are kept. */
  configure(portNo: number, qos: QosSpec | undefined, policing: IngressPolicingSpec | undefined): void {
    const { now } = this.#host
    const before = this.#settings.get(portNo)
    if (!same(before?.policing, policing)) {
      this.#ingress[portNo] =
        policing === undefined ? undefined : new Policer(policing.rate / 8, policing.burst / 8, now)
      this.ingress[portNo] = policing === undefined ? 0 : 1
    }
    if (!same(before?.qos, qos)) this.#configureEgress(portNo, qos)
    this.#settings.set(portNo, { qos, policing })
  }

  #configureEgress(portNo: number, qos: QosSpec | undefined): void {
    const { now } = this.#host
    const before = this.#shapers[portNo]
    before?.advance()
    const policed = qos?.type === 'egress-policer'
    this.#policers[portNo] = policed ? new Policer(qos.cir, qos.cbs, now) : undefined
    if (qos === undefined || policed) {
      before?.flush()
      this.#shapers[portNo] = undefined
    } else {
      this.#shapers[portNo] = new PortShaper(portNo, qos, this.#store, this.#host, now, before)
    }
    this.egress[portNo] = qos === undefined ? 0 : 1
    this.#shapersChanged()
  }

  /** Forgets a port; what waits there is dropped. */
  remove(portNo: number): void {
    const shaper = this.#shapers[portNo]
    shaper?.discard(DROP_PORT_DOWN)
    this.#shapers[portNo] = undefined
    this.#policers[portNo] = undefined
    this.#ingress[portNo] = undefined
    this.egress[portNo] = 0
    this.ingress[portNo] = 0
    this.#settings.delete(portNo)
    if (shaper !== undefined) this.#shapersChanged()
  }

  #shapersChanged(): void {
    this.#shaping = [...this.#shapers.keys()].filter((portNo) => this.#shapers[portNo] !== undefined)
    this.#due = this.#nextDue()
  }

  shaper(portNo: number): PortShaper | undefined {
    return this.#shapers[portNo]
  }

  /** Sends a frame by a port of which `egress` is 1, now or later, or drops it. It stays the caller's. */
  enqueue(portNo: number, queue: number, h: number): void {
    const host = this.#host
    const shaper = this.#shapers[portNo]
    if (shaper !== undefined) {
      shaper.enqueue(queue, h, DROP_QUEUE_FULL)
      if (!shaper.isIdle) this.#due = Math.min(this.#due, shaper.due())
      return
    }
    const { pool } = host
    const bytes = wireLength(pool, h) - ETHERNET * packetCount(pool, h)
    if (!this.#policers[portNo]!.pass(bytes, host.now)) host.drop(DROP_EGRESS_POLICER, h)
    else host.send(portNo, h)
  }

  /**
   * Lets frames that came in by a port of which `ingress` is 1 pass, as far as its rate allows; drops and frees
   * the others. @returns how many pass: the first of the burst
   */
  admit(portNo: number, burst: Uint32Array, count: number): number {
    const host = this.#host
    const policer = this.#ingress[portNo]!
    let passed = 0
    for (let i = 0; i < count; i++) {
      const h = burst[i]
      if (policer.pass(wireLength(host.pool, h), host.now)) burst[passed++] = h
      else {
        host.pool.inPort[h] = portNo
        host.drop(DROP_INGRESS_POLICING, h)
        host.pool.free(h)
      }
    }
    return passed
  }

  poll(now: Instant): void {
    if (now < this.#due) return
    for (let i = 0; i < this.#shaping.length; i++) this.#shapers[this.#shaping[i]]!.advance()
    this.#due = this.#nextDue()
  }

  pollAt(): Instant {
    return this.#due
  }

  #nextDue(): Instant {
    let due = NEVER
    for (let i = 0; i < this.#shaping.length; i++) {
      due = Math.min(due, this.#shapers[this.#shaping[i]]!.due())
    }
    return due
  }
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
