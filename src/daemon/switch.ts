import { DpifError, type DpifEvent } from '../../engine/dpif.ts'
import type { ThreadDpif } from '../../engine/dpif-thread.ts'
import { systemRandom } from '../../engine/sys/random.ts'
import type { Network } from '../config/network.ts'
import type { LabContext, Machine } from '../lab/context.ts'
import { Lab, type Services } from '../lab/lab.ts'
import type { ControllerStatus } from '../openflow/controllers.ts'
import { Openflow } from '../openflow/openflow.ts'
import { type Convergence, converge, type Failure } from '../reconcile/converge.ts'
import { difference } from '../reconcile/difference.ts'
import type { Element, ElementOf } from '../reconcile/element.ts'
import { elementsOf } from '../reconcile/elements.ts'
import { type Execution, execute, executeAll } from '../reconcile/execute.ts'
import { type Change, planElements, type Step } from '../reconcile/plan.ts'
import { Ipfix } from '../services/ipfix.ts'
import { realClock } from '../services/scheduler.ts'
import { CaptureHub } from './capture.ts'
import { DhcpClients } from './dhcp-clients.ts'
import { DhcpServers } from './dhcp-servers.ts'
import { portIndex } from './port-index.ts'
import { bytesOf, PortMacs } from './port-macs.ts'
import { PortWatch } from './port-watch.ts'
import { checkName, checkNames } from './preflight.ts'
import { VERSION } from './version.ts'

/** What the switch says, by how much it matters. */
export type SwitchLog = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error' | 'fatal', (message: string) => void>
>

export interface SwitchOptions {
  readonly machine: Machine
  readonly rundir: string
  readonly log: SwitchLog
  /** One line for the person who watches. */
  readonly onProgress: (line: string) => void
}

/** Hosts that get their address by DHCP are waited for so long when the network comes up. */
const LEASE_WAIT_MS = 10_000

const EMPTY: Network = { bridges: [], hosts: [], routers: [] }

/** A network that is up, and everything that carries it: the dataplane, the lab and the services. */
export class Switch {
  readonly dpif: ThreadDpif
  readonly captures: CaptureHub
  readonly dhcpServers: DhcpServers
  readonly #options: SwitchOptions
  readonly #lab: Lab
  readonly #dhcpClients: DhcpClients
  readonly #openflow: Openflow
  readonly #ipfix: Ipfix
  readonly #watch: PortWatch
  readonly #macs = new PortMacs()
  #noticed: (port?: string) => void = () => {}
  #network: Network = EMPTY
  /** What there is of it, by key. */
  readonly #elements = new Map<string, Element>()
  /** What is not as it is wanted. */
  #failures: readonly Failure[] = []
  /** Ports that have come, gone or changed since those who follow them were told. */
  #changedPorts = new Set<string>()
  /** What is being made of it; the same when nothing is. */
  #wanted: Network = EMPTY
  #breakdown: Error | undefined
  /** Leases are given back by clients that are taken out, not by those that stop with the switch. */
  #stopping = false
  /** Changes of the network, one after the other. */
  #work: Promise<unknown> = Promise.resolve()

  /** @param dpif a dataplane with nothing in it */
  constructor(options: SwitchOptions, dpif: ThreadDpif) {
    const { machine, rundir, log } = options
    this.#options = options
    this.dpif = dpif
    this.captures = new CaptureHub(dpif)
    this.dhcpServers = new DhcpServers({
      dpif,
      rundir,
      clock: realClock,
      log: (level, message) => this.#tell(level, message),
    })
    this.#dhcpClients = new DhcpClients(machine, realClock, systemRandom())
    this.#ipfix = new Ipfix({
      dpif,
      clock: realClock,
      indexOf: (port) => portIndex(this.#wanted, port),
      log: (level, message) => this.#tell(level, message),
    })
    this.#openflow = new Openflow({
      dpif,
      rundir,
      clock: realClock,
      macOf: (port) => bytesOf(this.#macs.of(port)),
      ipfix: this.#ipfix,
      version: VERSION,
      onControllers: () => this.#noticed(),
      log: (level, message) => log[level](message),
    })
    const services: Services = {
      putDhcpServer: (spec) => this.dhcpServers.put(spec),
      removeDhcpServer: (spec) => this.dhcpServers.remove(spec),
      putDhcpClient: (spec) => this.#dhcpClients.put(spec),
      removeDhcpClient: (spec) => this.#dhcpClients.remove(spec, !this.#stopping),
      putOpenflow: (spec) => this.#openflow.put(spec),
      removeOpenflow: (bridge) => this.#openflow.remove(bridge),
      putIpfix: (spec) => this.#ipfix.put(spec),
      removeIpfix: (bridge) => this.#ipfix.remove(bridge),
    }
    const context: LabContext = { ...machine, dpif, kinds: new Map() }
    this.#lab = new Lab(context, services)
    this.#watch = new PortWatch({
      reopen: async (element) => {
        await this.#exclusive(() => this.#lab.reopen(element))
        this.#noticed(element.spec.name)
      },
      report: (message) => this.#tell('warn', message),
    })
    dpif.onEvent((event) => this.#receive(event))
    dpif.ended.catch((error: Error) => {
      log.fatal(`the dataplane broke down: ${error.stack ?? error.message}`)
      this.#breakdown = error
    })
  }

  /** Has the controllers of a bridge, or of all, connected to anew. */
  reconnect(bridge?: string): Promise<void> {
    return this.#openflow.reconnect(bridge)
  }

  /** Called when the link of a port, or a controller's connection, has changed. */
  onNotice(listener: (port?: string) => void): void {
    this.#noticed = listener
  }

  /** A bridge's connection to a controller. */
  controllerStatus(bridge: string, target: string): ControllerStatus | undefined {
    return this.#openflow.controllerStatus(bridge, target)
  }

  /** MAC address of a port, a 48-bit number. */
  macOf(port: string): number {
    return this.#macs.of(port)
  }

  get network(): Network {
    return this.#network
  }

  /**
   * Makes the network what is wanted by the steps that differ, and answers their titles.
   * @throws CliError, DpifError or IpError after everything has been put back as it was
   */
  reconcile(want: Network): Promise<readonly string[]> {
    return this.#exclusive(async () => {
      const elements = elementsOf(want)
      const steps = planElements(this.#present(this.#network), elements)
      const created = checkNames(
        this.#options.machine,
        steps.map((step) => step.do),
      )
      this.#wanted = want
      this.#macs.replace(this.#network, want)
      try {
        for (const element of created) await this.#lab.claim(element)
        await execute(steps, this.#perform, this.#execution())
      } catch (error) {
        this.#wanted = this.#network
        this.#macs.replace(want, this.#network)
        for (const element of created) if (!this.#elements.has(element.key)) this.#lab.unclaim(element)
        this.#portsChanged()
        throw this.#breakdown ?? error
      }
      this.#failures = []
      this.#settle(want, this.#elements.values(), elements)
      return steps.map((step) => step.title)
    })
  }

  /**
   * Goes as far towards the network that is wanted as can be, and answers how far that was. What has failed is
   * tried again whenever this is called.
   * @param ofports numbers of ports that are made and have none of their own, by name, if those are free
   * @throws when the dataplane has broken down
   */
  converge(want: Network, ofports: ReadonlyMap<string, number> = new Map()): Promise<Convergence> {
    return this.#exclusive(async () => {
      this.#wanted = want
      const attempt = async (change: Change) => {
        const first = numbered(change, ofports)
        try {
          await this.#attempt(first)
        } catch (error) {
          if (first === change) throw error
          // Somebody has come before it; any number will do.
          await this.#attempt(change)
        }
      }
      const pending = new Set(this.#failures.flatMap(({ element }) => nameOf(element) ?? []))
      const [before, after] = difference(this.#network, want, pending)
      this.#macs.replace(before, after)
      const have = this.#present(before)
      const reached = await converge(have, elementsOf(after), attempt, this.#execution())
      if (this.#breakdown !== undefined) throw this.#breakdown
      this.#failures = reached.failures
      this.#settle(want, have, reached.elements)
      return reached
    })
  }

  /** What there is of a network, in an order in which it can be made. */
  #present(network: Network): Element[] {
    return elementsOf(network).flatMap(({ key }) => this.#elements.get(key) ?? [])
  }

  /** Takes note that these elements of the network have become those. */
  #settle(network: Network, before: Iterable<Element>, after: readonly Element[]): void {
    const gone = new Map([...before].map((element) => [element.key, element]))
    for (const element of after) {
      gone.delete(element.key)
      this.#elements.set(element.key, element)
    }
    for (const [key, element] of gone) {
      this.#elements.delete(key)
      if (element.kind === 'port') this.#watch.forget(element.spec.name)
    }
    this.#network = network
    this.#portsChanged()
  }

  async #attempt(change: Change): Promise<void> {
    if (change.op !== 'create') return this.#perform(change)
    checkName(this.#options.machine, change.element)
    await this.#lab.claim(change.element)
    try {
      await this.#perform(change)
    } catch (error) {
      this.#lab.unclaim(change.element)
      throw error
    }
  }

  /** Waits until DHCP hosts have their addresses, for a while; says which of them have none. */
  async waitForLeases(): Promise<void> {
    const { onProgress, machine } = this.#options
    const clients = this.#network.hosts
      .flatMap((host) => host.interfaces)
      .filter((i) => i.addressing === 'dhcp')
    if (clients.length === 0) return
    onProgress('waiting for DHCP leases')
    const missing = await this.#dhcpClients.waitForLeases(LEASE_WAIT_MS)
    if (missing.length > 0)
      machine.warn(`No DHCP lease yet for ${missing.join(', ')}; it is asked for further on.`)
  }

  /** Takes everything away, whatever fails on the way, and ends the dataplane. */
  async close(): Promise<void> {
    this.#stopping = true
    this.#watch.close()
    await this.#exclusive(async () => {
      await executeAll(planElements(this.#present(this.#network), []), this.#perform, this.#execution())
      this.#network = EMPTY
      this.#elements.clear()
      this.#lab.close()
      await this.dpif.close()
    })
  }

  readonly #perform = async (change: Change): Promise<void> => {
    await this.#lab.perform(change)
    const { element } = change
    if (element.kind === 'port' || element.kind === 'interface') this.#changedPorts.add(element.spec.name)
  }

  #portsChanged(): void {
    const changed = this.#changedPorts
    if (changed.size === 0) return
    this.#changedPorts = new Set()
    this.#openflow.portsChanged(changed)
    this.#ipfix.portsChanged()
  }

  #exclusive<T>(action: () => Promise<T>): Promise<T> {
    const result = this.#work.then(action)
    this.#work = result.catch(() => {})
    return result
  }

  #execution(): Execution {
    const { log, onProgress, machine } = this.#options
    return {
      onStep: (step: Step) => {
        log.info(step.title)
        onProgress(step.title)
      },
      onProblem: (title, error) => {
        // What the dataplane had has gone with it.
        if (this.#breakdown !== undefined && error instanceof DpifError) return
        machine.warn(`${title}: ${(error as Error).message}`)
      },
    }
  }

  #receive(event: DpifEvent): void {
    switch (event.type) {
      case 'service':
      case 'probe':
        this.dhcpServers.deliver(event)
        break
      case 'capture':
        this.captures.deliver(event)
        break
      case 'log':
        this.#options.log[event.level](event.message)
        break
      case 'link':
        this.#linkChanged(event.port, event.state)
        break
    }
  }

  #linkChanged(port: string, state: 'up' | 'down' | 'gone'): void {
    const { log } = this.#options
    log.info(`link of port ${port}: ${state}`)
    this.#noticed(port)
    if (state !== 'gone' || this.#stopping) return
    const element = [...this.#elements.values()].find(
      (e): e is ElementOf<'port'> | ElementOf<'interface'> =>
        (e.kind === 'port' || e.kind === 'interface') && e.spec.name === port,
    )
    if (element?.kind === 'port') this.#watch.lost(element)
    else if (element !== undefined) {
      const where = element.namespace === undefined ? '' : ` of ${element.namespace}`
      this.#tell('warn', `The interface ${element.device}${where} has been removed; port ${port} is down.`)
    }
  }

  #tell(level: 'info' | 'warn' | 'error', message: string): void {
    if (level === 'info') this.#options.log.info(message)
    else this.#options.machine.warn(message)
  }
}

/** What an element that could not be had belongs to, as far as a bridge or a port is concerned. */
function nameOf(element: Element): string | undefined {
  switch (element.kind) {
    case 'port':
    case 'interface':
    case 'bridge':
      return element.spec.name
    case 'ipfix':
      return element.spec.bridge
    case 'address':
      return element.device
    default:
      return undefined
  }
}

/** The same change with a number for a port that has none of its own. */
function numbered(change: Change, ofports: ReadonlyMap<string, number>): Change {
  const { op, element } = change
  if (op !== 'create' || (element.kind !== 'port' && element.kind !== 'interface')) return change
  const ofport = element.spec.ofport ?? ofports.get(element.spec.name)
  return ofport === undefined ? change : { op, element: { ...element, spec: { ...element.spec, ofport } } }
}
