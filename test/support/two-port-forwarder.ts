/**
 * The smallest thing that forwards: what comes in on either of two devices leaves by the other. Runs in the
 * test's own thread, between its other work, so that devices can be tested without a switch.
 */
import { CELL_STRIDE, PacketPool } from '../../engine/memory/packet-pool.ts'
import type { Netdev } from '../../engine/netdev/netdev.ts'
import { sendFinished } from '../../engine/netdev/offload.ts'
import { mapMemory } from '../../engine/sys/memory.ts'
import { POLL_ERROR, Poller } from '../../engine/sys/poller.ts'

const CELLS = 128
const BURST = 32

/** A packet pool in native memory, as devices of the kernel need it. */
export function nativePool(): PacketPool {
  const memory = mapMemory(CELLS * CELL_STRIDE)
  return new PacketPool(CELLS, memory.bytes, memory.address)
}

export class TwoPortForwarder {
  /** Waits that found something ready although no device had a frame. */
  idleWakeups = 0
  /** Length of the longest frame that passed, bytes. */
  longest = 0
  readonly #pool: PacketPool
  readonly #devices: readonly [Netdev, Netdev]
  readonly #out = new Uint32Array(BURST)
  #running = true
  readonly #done: Promise<void>

  constructor(pool: PacketPool, a: Netdev, b: Netdev) {
    this.#pool = pool
    this.#devices = [a, b]
    this.#done = this.#run()
  }

  /** Stops forwarding; the devices stay open. */
  async stop(): Promise<void> {
    this.#running = false
    await this.#done
  }

  async #run(): Promise<void> {
    const poller = new Poller(2)
    const slots = this.#devices.map((device) => poller.add(device.fd))
    const polled = [true, true]
    while (this.#running) {
      // Some rounds at a time, then whatever else this thread has to do.
      for (let round = 0; round < 200; round++) {
        const ready = poller.wait(1)
        let frames = 0
        for (const i of [0, 1] as const) {
          frames += this.#forward(this.#devices[i], this.#devices[1 - i]!)
          if ((poller.ready(slots[i]!) & POLL_ERROR) === 0) continue
          this.#devices[i].refresh()
          if (this.#devices[i].state === 'gone' && polled[i]) {
            poller.remove(slots[i]!)
            polled[i] = false
          }
        }
        if (ready > 0 && frames === 0) this.idleWakeups++
        if (ready === 0) break
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #forward(from: Netdev, to: Netdev): number {
    const pool = this.#pool
    const count = from.rx(this.#out, BURST)
    for (let i = 0; i < count; i++) {
      const h = this.#out[i]!
      this.longest = Math.max(this.longest, pool.len[h]!)
      sendFinished(pool, to, h)
      pool.free(h)
    }
    to.flush()
    return count
  }
}
