import { setInterval } from 'node:timers'
import { linkIndex } from '../../engine/sys/link.ts'
import type { ElementOf } from '../reconcile/element.ts'

const RETRY_MS = 1000

export interface PortWatchHost {
  /** Opens the port's device anew. */
  reopen(element: ElementOf<'port'>): Promise<void>
  report(message: string): void
}

/** Looks for the devices of system ports that have vanished, once a second, and takes them back. */
export class PortWatch {
  readonly #host: PortWatchHost
  readonly #lost = new Map<string, ElementOf<'port'>>()
  #timer: NodeJS.Timeout | undefined
  #busy = false

  constructor(host: PortWatchHost) {
    this.#host = host
  }

  lost(element: ElementOf<'port'>): void {
    const { spec } = element
    if (spec.kind.type !== 'system' || this.#lost.has(spec.name)) return
    this.#lost.set(spec.name, element)
    this.#host.report(
      `The interface ${spec.kind.device} has vanished; port ${spec.name} on ${spec.bridge} is down until it returns.`,
    )
    this.#timer ??= setInterval(() => void this.#look(), RETRY_MS)
  }

  /** The port is no longer wanted. */
  forget(port: string): void {
    this.#lost.delete(port)
    this.#rest()
  }

  close(): void {
    this.#lost.clear()
    this.#rest()
  }

  #rest(): void {
    if (this.#lost.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #look(): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    for (const [name, element] of [...this.#lost]) {
      const { spec } = element
      if (spec.kind.type !== 'system' || !exists(spec.kind.device)) continue
      try {
        await this.#host.reopen(element)
      } catch {
        // Gone again, or not ready: the next look will tell.
        continue
      }
      if (!this.#lost.delete(name)) continue
      this.#host.report(
        `The interface ${spec.kind.device} has returned; port ${name} on ${spec.bridge} is up.`,
      )
    }
    this.#busy = false
    this.#rest()
  }
}

function exists(device: string): boolean {
  try {
    linkIndex(device)
    return true
  } catch {
    return false
  }
}
