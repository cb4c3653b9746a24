/**
 * The switch object of a bridge, made when its first client comes: most bridges never have one, and what speaks
 * OpenFlow takes a start long to load.
 */
import type { Duplex } from 'node:stream'
import type { OpenflowSwitch } from './openflow-switch.ts'

export interface OnDemandOptions {
  readonly bridge: string
  readonly make: () => Promise<OpenflowSwitch>
  readonly log: (level: 'error', message: string) => void
}

export class SwitchOnDemand {
  readonly bridge: string
  readonly #options: OnDemandOptions
  #made: OpenflowSwitch | undefined
  #making: Promise<OpenflowSwitch> | undefined
  /** Why it was. */
  #closed: string | undefined

  constructor(options: OnDemandOptions) {
    this.#options = options
    this.bridge = options.bridge
  }

  /** Undefined as long as nobody has asked for it. */
  get made(): OpenflowSwitch | undefined {
    return this.#made
  }

  get(): Promise<OpenflowSwitch> {
    this.#making ??= this.#make()
    return this.#making
  }

  /** Gives a stream to the switch as soon as it is there, unless it has ended by then. */
  give(duplex: Duplex, take: (sw: OpenflowSwitch) => void): void {
    duplex.on('error', () => duplex.destroy())
    this.get().then(
      (sw) => {
        if (this.#closed !== undefined) duplex.destroy()
        else if (!duplex.destroyed) take(sw)
      },
      (error: Error) => {
        this.#options.log('error', `${this.bridge} cannot speak OpenFlow: ${error.message}`)
        duplex.destroy()
      },
    )
  }

  close(reason: string): void {
    this.#closed = reason
    this.#made?.close(reason)
  }

  async #make(): Promise<OpenflowSwitch> {
    try {
      const made = await this.#options.make()
      this.#made = made
      if (this.#closed !== undefined) made.close(this.#closed)
      return made
    } catch (error) {
      this.#making = undefined
      throw error
    }
  }
}
