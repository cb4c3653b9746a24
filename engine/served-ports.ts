/**
 * The devices that a dataplane thread serves. Only those that may have frames are read: a device that ran dry is left
 * alone until poll() says that it has more, so that hundreds of idle ports cost one system call a turn, all together.
 *
 * A port that had frames for services only rests for as long as these are not woken anyway (paced-wake.ts): a crowd of
 * their clients costs few turns.
 */
import type { Instant } from '../protocols/time.ts'
import type { Datapath } from './datapath.ts'
import { BURST } from './memory/packet-pool.ts'
import type { LinkState, Netdev } from './netdev/netdev.ts'
import { POLL_ERROR, POLLIN, type Poller } from './sys/poller.ts'

/** Bursts taken from one port before the others have their turn. */
const BURSTS_PER_TURN = 4
/** Turns of ports that have frames before it is looked whether the others have some now. */
const TURNS_PER_GLANCE = 8
/** For how long more frames are expected of a port that had some, in milliseconds. */
const WARM = 5

interface ServedPort {
  readonly portNo: number
  readonly device: Netdev
  /** In the poller; -1 when there is nothing left to watch. */
  slot: number
  known: LinkState
  /** Whether there may be frames. */
  hot: boolean
  /** When there were some. */
  lastFrame: Instant
  /** Whether the last were for services, all of them. */
  served: boolean
  /** Whether poll() is not asked for frames. */
  resting: boolean
}

/** Whether a port that has had frames since then may have more. */
function isExpected({ slot, lastFrame }: ServedPort, since: Instant): boolean {
  return slot >= 0 && lastFrame > since
}

export class ServedPorts {
  readonly #datapath: Datapath
  readonly #poller: Poller
  readonly #stateChanged: (portNo: number) => void
  readonly #burst = new Uint32Array(BURST)
  readonly #enough: () => boolean
  readonly #served: () => number
  #ports: ServedPort[] = []
  /** Where the next turn begins. */
  #next = 0
  #turnsSinceGlance = 0
  #restUntil = Number.POSITIVE_INFINITY
  /** Frames of the last turn that did not end at a service. */
  passedOn = 0

  /**
   * @param stateChanged called when a device is up, down or gone and was not before
   * @param enough asked after each port of a turn: whether the others must wait for the next
   * @param served how many datagrams have gone to services so far, none of whose senders is answered at once
   */
  constructor(
    datapath: Datapath,
    poller: Poller,
    stateChanged: (portNo: number) => void,
    enough: () => boolean = () => false,
    served: () => number = () => 0,
  ) {
    this.#datapath = datapath
    this.#poller = poller
    this.#stateChanged = stateChanged
    this.#enough = enough
    this.#served = served
  }

  add(portNo: number, device: Netdev): void {
    const slot = this.#poller.add(device.fd)
    const known = device.state
    const fresh = { hot: true, lastFrame: 0, served: false, resting: false }
    this.#ports = [...this.#ports, { portNo, device, slot, known, ...fresh }]
  }

  remove(portNo: number): void {
    const gone = this.#ports.find((p) => p.portNo === portNo)
    if (gone !== undefined && gone.slot >= 0) this.#poller.remove(gone.slot)
    this.#ports = this.#ports.filter((p) => p !== gone)
  }

  /** Whether a port has not run dry yet. */
  get busy(): boolean {
    for (let i = 0; i < this.#ports.length; i++) if (this.#ports[i].hot) return true
    return false
  }

  /**
   * One turn of the ports that may have frames, and all they make the others send; the frames received. A turn that
   * is broken off goes on with the next.
   */
  turn(at: Instant): number {
    if (at >= this.#restUntil) this.#endRest()
    const ports = this.#ports
    const burst = this.#burst
    const begin = this.#next < ports.length ? this.#next : 0
    this.#next = 0
    let frames = 0
    this.passedOn = 0
    for (let n = 0; n < ports.length; n++) {
      const i = begin + n < ports.length ? begin + n : begin + n - ports.length
      const port = ports[i]
      if (!port.hot) continue
      for (let bursts = 0; bursts < BURSTS_PER_TURN; bursts++) {
        const count = port.device.rx(burst, BURST)
        if (count > 0) {
          const served = this.#served()
          this.#datapath.receive(burst, count, port.portNo)
          // A frame that is flooded may be for several services.
          const passedOn = Math.max(0, count - (this.#served() - served))
          if (passedOn > 0) port.lastFrame = this.#datapath.now
          this.passedOn += passedOn
          port.served = passedOn === 0
        }
        frames += count
        if (count < BURST) {
          port.hot = false
          break
        }
      }
      if (this.#enough()) {
        this.#next = i + 1
        break
      }
    }
    if (frames > 0) this.flush()
    return frames
  }

  /**
   * Hands over what devices have only queued, and looks for more where there were frames a short time ago: also for
   * answers to what is handed over now.
   */
  flush(): void {
    this.#flush(this.#datapath.now - WARM)
  }

  /** Looks for frames everywhere, without asking poll(). */
  lookEverywhere(): void {
    this.#flush(Number.NEGATIVE_INFINITY)
  }

  #flush(since: Instant): void {
    const ports = this.#ports
    for (let i = 0; i < ports.length; i++) ports[i].device.prepare(isExpected(ports[i], since))
    for (let i = 0; i < ports.length; i++) ports[i].device.flush()
    for (let i = 0; i < ports.length; i++) {
      const port = ports[i]
      if (isExpected(port, since) && port.device.waiting > 0) port.hot = true
    }
  }

  /** Notes now and then which other ports are ready, while some are busy. */
  glance(): void {
    if (++this.#turnsSinceGlance >= TURNS_PER_GLANCE) this.wait(0)
  }

  /**
   * Leaves ports alone whose last frames were all for services, until these heed more of them; times are of any steady
   * clock, the one of `turn`. @returns when such ports are to have a turn again; Infinity for none
   */
  rest(at: Instant, until: Instant): Instant {
    if (until <= at) return this.#restUntil
    for (const port of this.#ports) {
      if (!port.served || port.resting || port.slot < 0) continue
      port.resting = true
      this.#poller.watch(port.slot, 0)
      this.#restUntil = until
    }
    return this.#restUntil
  }

  #endRest(): void {
    this.#restUntil = Number.POSITIVE_INFINITY
    for (const port of this.#ports) {
      if (!port.resting) continue
      port.resting = false
      port.hot = true
      if (port.slot >= 0) this.#poller.watch(port.slot, POLLIN)
    }
  }

  /** Waits until a port or another descriptor of the poller is ready, and notes which ports are. */
  wait(timeoutMs: number): void {
    this.#turnsSinceGlance = 0
    if (this.#poller.wait(timeoutMs) === 0) return
    const ports = this.#ports
    let failed = false
    for (let i = 0; i < ports.length; i++) {
      const port = ports[i]
      if (port.slot < 0) continue
      const ready = this.#poller.ready(port.slot)
      if (ready === 0) continue
      if ((ready & POLLIN) !== 0) port.hot = true
      if ((ready & POLL_ERROR) !== 0) failed = true
    }
    if (failed) this.refresh(false)
  }

  /** Asks devices how they are, all of them or those poll() complained about, and reports what has changed. */
  refresh(all: boolean): void {
    for (const port of this.#ports) {
      if (!all && (port.slot < 0 || (this.#poller.ready(port.slot) & POLL_ERROR) === 0)) continue
      port.device.refresh()
      if (port.device.state === port.known) continue
      port.known = port.device.state
      if (port.known === 'gone' && port.slot >= 0) {
        // A descriptor whose device is gone is ready for ever.
        this.#poller.remove(port.slot)
        port.slot = -1
        port.hot = false
      }
      this.#stateChanged(port.portNo)
    }
  }
}
