/** The controllers of one bridge, changed by difference, and what becomes of the bridge without them. */
import type { Dpif } from '../../engine/dpif.ts'
import { later } from '../bundle/later.ts'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import type { OpenflowSpec } from '../reconcile/element.ts'
import { type Clock, MachineTimer } from '../services/scheduler.ts'
import { parseOfAddress } from './address.ts'
import { ActiveController, type ControllerStatus, hasControllers, PassiveController } from './controllers.ts'
import { FailOpen } from './fail-open.ts'
import type { SwitchOnDemand } from './switch-on-demand.ts'

const failOpenFlows = later(() => import('./fail-open-flow.ts'))

export interface BridgeControllersOptions {
  readonly sw: SwitchOnDemand
  readonly dpif: Dpif
  readonly clock: Clock
  /** A controller is connected now, or no longer. */
  readonly onChange: () => void
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export class BridgeControllers {
  readonly #options: BridgeControllersOptions
  /** By their settings, as text. */
  readonly #controllers = new Map<string, ActiveController | PassiveController>()
  #spec: OpenflowSpec | undefined
  #failOpen: FailOpen | undefined
  #timer: MachineTimer | undefined
  /** What fail-open has done to the flows, one after the other. */
  #work = Promise.resolve()

  constructor(options: BridgeControllersOptions) {
    this.#options = options
  }

  /** @throws CliError when an address to listen at cannot be had */
  async put(spec: OpenflowSpec): Promise<void> {
    const before = this.#spec
    this.#spec = spec
    await this.#replaceControllers(spec)
    const wanted = hasControllers(spec)
    if (before !== undefined) {
      const had = hasControllers(before)
      const otherMode = !wanted && before.failMode !== spec.failMode
      if (had !== wanted || otherMode) await this.#flush(!wanted && spec.failMode === 'standalone')
    }
    this.#watch(wanted && spec.failMode === 'standalone' ? spec : undefined)
  }

  /** Gives up all connections and makes or awaits them anew. */
  async reconnect(): Promise<void> {
    if (this.#spec === undefined) return
    for (const controller of this.#controllers.values()) await controller.close()
    this.#controllers.clear()
    await this.#replaceControllers(this.#spec)
  }

  async close(): Promise<void> {
    this.#timer?.stop()
    this.#timer = undefined
    this.#failOpen = undefined
    for (const controller of this.#controllers.values()) await controller.close()
    this.#controllers.clear()
  }

  async #replaceControllers(spec: OpenflowSpec): Promise<void> {
    const { sw, clock, log } = this.#options
    const tls = spec.ssl
    const wanted = new Map(spec.controllers.map((target) => [JSON.stringify([target, tls]), target]))
    for (const [key, controller] of [...this.#controllers]) {
      if (wanted.has(key)) continue
      this.#controllers.delete(key)
      await controller.close()
    }
    for (const [key, target] of wanted) {
      if (this.#controllers.has(key)) continue
      const address = parseOfAddress(target.target)!
      if (!address.passive) {
        const onChange = () => this.#changed()
        this.#controllers.set(key, new ActiveController({ target, tls, sw, clock, onChange, log }, address))
        continue
      }
      try {
        this.#controllers.set(key, await PassiveController.open(address, tls, sw, target))
      } catch (error) {
        throw new CliError(
          `${spec.bridge} cannot listen at ${target.target} for controllers: ${(error as Error).message}.`,
          { code: EXIT_ENVIRONMENT, cause: error },
        )
      }
    }
  }

  #watch(spec: OpenflowSpec | undefined): void {
    if (spec === undefined) {
      this.#timer?.stop()
      this.#timer = undefined
      // Nobody else would take its flow away.
      if (this.#failOpen?.open) this.#do(() => this.#shut())
      this.#failOpen = undefined
      return
    }
    const { clock } = this.#options
    const probes = spec.controllers.map(({ inactivityProbe }) => inactivityProbe)
    if (this.#failOpen !== undefined) {
      this.#failOpen.probes = probes
      this.#timer?.update()
      return
    }
    this.#failOpen = new FailOpen(
      clock.now(),
      probes,
      () => this.#do(() => this.#open()),
      () => this.#do(() => this.#shut()),
    )
    this.#timer = new MachineTimer(clock, this.#failOpen)
    this.#changed()
  }

  /** By its target; undefined for one that the bridge does not have. */
  statusOf(target: string): ControllerStatus | undefined {
    return [...this.#controllers.values()].find((controller) => controller.target === target)?.status
  }

  #changed(): void {
    this.#options.onChange()
    const connected = [...this.#controllers.values()].filter((c) => c.connected).length
    this.#failOpen?.connected(this.#options.clock.now(), connected)
    this.#timer?.update()
  }

  async #open(): Promise<void> {
    const { dpif, sw, log } = this.#options
    log('warn', `${sw.bridge}: no controller can be reached; it is a learning switch until one is back`)
    const { failOpenFlow } = await failOpenFlows()
    // From when a controller is back, flows are its own.
    if (!this.#failOpen?.open) return
    await dpif.flowFlush(sw.bridge, false)
    if (!this.#failOpen?.open) return
    await dpif.flowMod(sw.bridge, [failOpenFlow('add')], false)
  }

  async #shut(): Promise<void> {
    const { dpif, sw } = this.#options
    const { failOpenFlow } = await failOpenFlows()
    await dpif.flowMod(sw.bridge, [failOpenFlow('delete_strict')], false)
  }

  async #flush(standalone: boolean): Promise<void> {
    const { dpif, sw } = this.#options
    await dpif.flowFlush(sw.bridge, standalone)
  }

  #do(work: () => Promise<void>): void {
    const { sw, log } = this.#options
    this.#work = this.#work.then(work).catch((error: Error) => log('error', `${sw.bridge}: ${error.message}`))
  }
}
