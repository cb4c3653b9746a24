/**
 * OpenFlow for all bridges of the daemon: each has a switch object, the sockets BRIDGE.mgmt and BRIDGE.snoop in the
 * run directory, and the controllers that the configuration gives it.
 */
import { join } from 'node:path'
import type { Dpif, DpifEvent } from '../../engine/dpif.ts'
import { parseActionSubfield } from '../../protocols/openflow/text/subfield-text.ts'
import { later } from '../bundle/later.ts'
import { EXIT_ENVIRONMENT } from '../cli/exit-codes.ts'
import { CliError } from '../errors.ts'
import type { Address } from '../net/address.ts'
import { type Listener, listenStreams } from '../net/stream.ts'
import type { OpenflowSpec } from '../reconcile/element.ts'
import type { Clock } from '../services/scheduler.ts'
import { BridgeControllers } from './bridge-controllers.ts'
import { type ControllerStatus, PassiveController } from './controllers.ts'
import type { IpfixSource } from './openflow-switch.ts'
import { SwitchPorts } from './ports.ts'
import { SwitchOnDemand } from './switch-on-demand.ts'

const switches = later(() => import('./openflow-switch.ts'))

export interface OpenflowOptions {
  readonly dpif: Dpif
  readonly rundir: string
  readonly clock: Clock
  /** MAC address of a port, six bytes. */
  readonly macOf: (port: string) => Uint8Array
  readonly ipfix: IpfixSource
  /** Of the program. */
  readonly version: string
  /** A bridge's controller is connected now, or no longer. */
  readonly onControllers: () => void
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void
}

interface Served {
  spec: OpenflowSpec
  readonly ports: SwitchPorts
  readonly sw: SwitchOnDemand
  readonly management: PassiveController
  readonly snoop: Listener
  readonly controllers: BridgeControllers
  /** Those of which something is set. */
  tables: ReadonlySet<number>
}

export class Openflow {
  readonly #options: OpenflowOptions
  readonly #bridges = new Map<string, Served>()

  constructor(options: OpenflowOptions) {
    this.#options = options
    options.dpif.onEvent((event) => this.#receive(event))
  }

  /** How it stands with a controller of a bridge; undefined for one that it does not have. */
  controllerStatus(bridge: string, target: string): ControllerStatus | undefined {
    return this.#bridges.get(bridge)?.controllers.statusOf(target)
  }

  /** Serves a bridge, or changes how it is served. @throws CliError when a socket cannot be had */
  async put(spec: OpenflowSpec): Promise<void> {
    const served = this.#bridges.get(spec.bridge) ?? (await this.#serve(spec))
    served.spec = spec
    served.sw.made?.configure(identityOf(spec).datapathId, spec.versions)
    await this.#putTables(served, spec)
    await served.controllers.put(spec)
  }

  async remove(bridge: string): Promise<void> {
    const served = this.#bridges.get(bridge)
    if (served === undefined) return
    this.#bridges.delete(bridge)
    await served.controllers.close()
    served.sw.close('the bridge is removed')
    await Promise.all([served.management.close(), served.snoop.close()])
  }

  /** Has the controllers of a bridge, or of all, connected to anew. */
  async reconnect(bridge?: string): Promise<void> {
    for (const [name, { controllers }] of this.#bridges) {
      if (bridge === undefined || name === bridge) await controllers.reconnect()
    }
  }

  /** Tables that nothing is said of any more are as all others. */
  async #putTables(served: Served, { bridge, flowTables }: OpenflowSpec): Promise<void> {
    const { dpif } = this.#options
    const wanted = new Set(flowTables.map(({ table }) => table))
    for (const table of served.tables) {
      if (!wanted.has(table))
        await dpif.flowTablePut(bridge, table, { name: '', maxFlows: undefined, eviction: false })
    }
    for (const { table, name, flowLimit, evicts, groups } of flowTables) {
      const settings = {
        name,
        maxFlows: flowLimit,
        eviction: evicts,
        groups: groups.map(parseActionSubfield),
      }
      await dpif.flowTablePut(bridge, table, settings)
    }
    served.tables = wanted
  }

  /** These ports may have come, gone or changed. */
  portsChanged(ports: ReadonlySet<string>): void {
    for (const { sw, ports: known } of this.#bridges.values()) {
      if (sw.made !== undefined) void sw.made.portsChanged(ports)
      // Nobody is to be told, but since when they are there will be asked.
      else known.changes([...ports]).catch(() => {})
    }
  }

  async #serve(spec: OpenflowSpec): Promise<Served> {
    const { dpif, rundir, clock, macOf, ipfix, version, onControllers: onChange, log } = this.#options
    const { bridge } = spec
    const ports = new SwitchPorts({ dpif, bridge, now: () => clock.now(), macOf })
    const make = async () => {
      const { OpenflowSwitch } = await switches()
      const identity = identityOf(this.#bridges.get(bridge)?.spec ?? spec)
      return new OpenflowSwitch({ dpif, bridge, ports, clock, ipfix, version, log, ...identity })
    }
    const sw = new SwitchOnDemand({ bridge, make, log })
    const socket = (name: string): Address => ({
      method: 'unix',
      passive: true,
      path: join(rundir, `${bridge}.${name}`),
    })
    let management: PassiveController | undefined
    try {
      management = await PassiveController.open(socket('mgmt'), undefined, sw, undefined)
      const snoop = await listenStreams(socket('snoop'), undefined, ({ duplex }) => {
        sw.give(duplex, (made) => made.snoop(duplex))
      })
      const controllers = new BridgeControllers({ sw, dpif, clock, onChange, log })
      const served: Served = { spec, ports, sw, management, snoop, controllers, tables: new Set() }
      this.#bridges.set(bridge, served)
      return served
    } catch (error) {
      await management?.close()
      throw new CliError(`The OpenFlow sockets of ${bridge} cannot be made: ${(error as Error).message}.`, {
        code: EXIT_ENVIRONMENT,
        hint: 'The run directory must be writable and its path at most 80 characters long; see --rundir.',
        cause: error,
      })
    }
  }

  #receive(event: DpifEvent): void {
    if (event.type === 'link') {
      this.portsChanged(new Set([event.port]))
      return
    }
    if ('bridge' in event) this.#bridges.get(event.bridge)?.sw.made?.receive(event)
  }
}

function identityOf({ datapathId, versions }: OpenflowSpec) {
  return { datapathId: BigInt(`0x${datapathId}`), versions }
}
