/**
 * The switch as a client of a database: whatever is wanted there is made so, as far as can be, and what has become of
 * it is written back. It is the same whether the database is in this process or somewhere else.
 *
 * One round at a time: read what has changed, go there, tell the outcome in one transaction a database. A round costs
 * what has changed and not what there is. What is changed meanwhile is the next round's, so that a hundred changes in
 * a row cost only a few rounds. `cur_cfg` says up to which change everything has been dealt with: ovs-vsctl waits for
 * that.
 */
import { linkTable } from '../../engine/sys/link-info.ts'
import type { Snapshot } from '../../protocols/ovsdb/replica.ts'
import type { RowChange } from '../../protocols/ovsdb/row.ts'
import { SECOND } from '../../protocols/time.ts'
import { formatMac } from '../../protocols/wire/ethernet.ts'
import type { Network } from '../config/network.ts'
import type { Switch } from '../daemon/switch.ts'
import type { OvsdbClient } from '../ovsdb/client.ts'
import { Replica } from '../ovsdb/replica.ts'
import type { Failure } from '../reconcile/converge.ts'
import type { Element } from '../reconcile/element.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import { concernsConfiguration } from './config-changes.ts'
import { DatabaseLock } from './database-lock.ts'
import { Devices } from './devices.ts'
import { type Dummies, withDummies } from './dummies.ts'
import { fillOperations } from './fill.ts'
import { NetworkReader } from './network-reader.ts'
import { ofportsOf } from './ofports.ts'
import { PortIndex } from './port-index.ts'
import type { Touched } from './readings.ts'
import { DatabaseReader, type Problem } from './row-reader.ts'
import { statusOperations } from './row-status.ts'
import { rowsOf } from './rows-of.ts'
import { countersStatus, machineStatistics, PortCounters } from './statistics.ts'
import { type ControllerFacts, statusOf } from './status-of.ts'
import { systemRelease } from './system-release.ts'

export interface VSwitchOptions {
  readonly network: Switch
  /** To a server that has the database Open_vSwitch, wherever it is. Not started yet, nor is the other. */
  readonly ovs: OvsdbClient
  /** To one that has Lab; perhaps the same. Undefined where there is none. */
  readonly lab: OvsdbClient | undefined
  /** Which devices are in memory only, for tests; none unless given. */
  readonly dummies?: Dummies
  /** Called when the switch is as the database has it, before that is told there; with what has changed in it. */
  readonly onSettled?: (ovs: Snapshot, touched: Touched) => Promise<void>
  readonly clock: Clock
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** How often it is looked whether a device has appeared. */
const RETRY = SECOND
const STATISTICS_INTERVAL = 5 * SECOND
/** Of ovs-vswitchd: of two on one database the second waits. */
const LOCK = 'ovs_vswitchd'
const ROLES = { equal: 'other', primary: 'master', secondary: 'slave' } as const

export class VSwitch {
  readonly #options: VSwitchOptions
  readonly #ovs: Replica
  readonly #lab: Replica | undefined
  readonly #lock: DatabaseLock
  readonly #release = systemRelease()
  readonly #devices = new Devices()
  readonly #reader = new NetworkReader()
  readonly #counters = new PortCounters()
  readonly #index = new PortIndex()
  /** Rows of what is wanted that have changed since the last round began, and their tables. */
  #touched = new Set<string>()
  /** Ports and devices of which there is something to tell; undefined: of all. */
  #news: Set<string> | undefined = new Set()
  /** What the last round came to. */
  #problems: readonly Problem[] = []
  #failures: readonly Failure[] = []
  #applied: number | undefined
  #told = new Set<string>()
  /** Something is wanted that was not when the last round began. */
  #wanted = false
  /** Something is to be told. */
  #untold = false
  #held = true
  readonly #waiters: (() => void)[] = []
  #closed = false
  #round: Promise<void> | undefined
  #retry: Cancel | undefined
  #statistics: Cancel | undefined

  /** To be made before the client is started; does nothing until `follow` or `replace`. */
  constructor(options: VSwitchOptions) {
    const { ovs, lab, network } = options
    this.#options = options
    this.#ovs = new Replica(ovs, { database: 'Open_vSwitch', changed: (changes) => this.#take(changes) })
    this.#lab =
      lab &&
      new Replica(lab, {
        database: 'Lab',
        changed: (changes) => {
          if (changes.some(concernsConfiguration)) this.#want()
          else this.#begin()
        },
      })
    // Nobody knows what others have told before the database was ours.
    this.#lock = new DatabaseLock(ovs, LOCK, () => {
      this.#news = undefined
      this.#want()
    })
    network.onNotice((port) => this.#tell(port === undefined ? [] : [port]))
  }

  /** Resolves when there is a database and it is ours to serve. */
  ready(): Promise<void> {
    if (this.#ready) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** Does from now on what the database wants; resolves when the first round is over, if there is a database. */
  async follow(): Promise<void> {
    this.#held = false
    this.#armStatistics()
    this.#want()
    await this.#round
  }

  /**
   * Has the database, and the switch, hold this network and nothing else; answers the steps done.
   * @throws what the switch throws, after everything is as it was
   */
  async replace(network: Network): Promise<readonly string[]> {
    this.#held = true
    await Promise.all([this.#round, this.ready()])
    try {
      const steps = await this.#options.network.reconcile(network)
      await this.#fill(network)
      return steps
    } finally {
      await this.follow()
    }
  }

  /** Has the database hold the network that the switch is already. */
  async adopt(network: Network): Promise<void> {
    await this.ready()
    await this.#fill(network)
    await this.follow()
  }

  async #fill(network: Network): Promise<void> {
    const { ovs, lab } = rowsOf(network)
    // The ports of its hosts and routers come after them, so that nobody misses their other ends in between.
    if (this.#lab !== undefined) await this.#transact(this.#lab, fillOperations(this.#lab.snapshot!, lab))
    await this.#transact(this.#ovs, fillOperations(this.#ovs.snapshot!, ovs))
  }

  /** The type of the datapath that a bridge is in, as the database has it. */
  datapathType(bridge: string): string {
    const { snapshot } = this.#ovs
    const rows = snapshot === undefined ? [] : new DatabaseReader(snapshot).all('Bridge')
    return rows.find((row) => row.text('name') === bridge)?.text('datapath_type') || 'system'
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#retry?.()
    this.#statistics?.()
    await this.#round
  }

  #take(changes: readonly RowChange[]): void {
    this.#index.note(this.#ovs.snapshot!, changes)
    const wanted = changes.filter(concernsConfiguration)
    for (const { table, uuid } of wanted) this.#touched.add(uuid).add(table)
    if (wanted.length > 0) this.#want()
    // The database may be there for the first time, with nothing in it.
    else this.#begin()
  }

  #want(): void {
    this.#wanted = true
    this.#begin()
  }

  #tell(ports: readonly string[]): void {
    for (const port of ports) this.#news?.add(port)
    this.#untold = true
    this.#begin()
  }

  #begin(): void {
    if (!this.#ready) return
    for (const resolve of this.#waiters.splice(0)) resolve()
    if (this.#held || this.#closed) return
    this.#round ??= this.#rounds().finally(() => {
      this.#round = undefined
      // What was asked for while it ended.
      if (this.#wanted || this.#untold) this.#begin()
    })
  }

  /** Whether there is a database that is ours to serve. */
  get #ready(): boolean {
    return this.#ovs.live && this.#lab?.live !== false && this.#lock.held
  }

  async #rounds(): Promise<void> {
    while ((this.#wanted || this.#untold) && !this.#held && !this.#closed && this.#ready) {
      try {
        if (this.#wanted) await this.#go()
        await this.#write()
      } catch (error) {
        // Without a connection nothing is told; with the next one everything is.
        this.#options.log('warn', (error as Error).message)
      }
    }
  }

  /** Goes where the database wants it. */
  async #go(): Promise<void> {
    this.#wanted = false
    this.#retry?.()
    this.#retry = undefined
    const touched = this.#touched
    this.#touched = new Set()
    const reading = this.#reader.read(this.#ovs.snapshot!, this.#lab?.snapshot, touched)
    const dummies = this.#options.dummies ?? 'none'
    const network = withDummies(reading.network, dummies, (bridge) => this.datapathType(bridge))
    const next = nextChange(this.#ovs)
    // A switch that begins gives ports the numbers that they had.
    const ofports = this.#applied === undefined ? ofportsOf(this.#ovs.snapshot!) : undefined
    const { failures } = await this.#options.network.converge(network, ofports)
    await this.#options.onSettled?.(this.#ovs.snapshot!, touched)
    this.#problems = reading.problems
    const attempted = [...this.#failures, ...failures].map(({ element }) => portOf(element))
    for (const port of [...reading.ports, ...attempted]) if (port !== undefined) this.#news?.add(port)
    this.#failures = failures
    this.#applied = next
    this.#untold = true
    this.#complain()
    this.#watchForDevices()
  }

  /** Ports whose device is not there are tried again when it appears; all else when something else changes. */
  #watchForDevices(): void {
    const { clock } = this.#options
    const devices = this.#failures.flatMap(({ element }) =>
      element.kind === 'port' && element.spec.kind.type === 'system' ? element.spec.kind.device : [],
    )
    if (devices.length === 0) return
    const present = linkTable()
    const missing = devices.filter((device) => !present.has(device))
    if (missing.length === 0) return
    const look = () => {
      this.#retry = undefined
      const links = linkTable()
      if (missing.some((device) => links.has(device))) this.#want()
      else this.#retry = clock.schedule(clock.now() + RETRY, look)
    }
    this.#retry = clock.schedule(clock.now() + RETRY, look)
  }

  /** What is wrong is logged when it begins to be so. */
  #complain(): void {
    const now = new Set([
      ...this.#problems.map(({ table, message }) => `${table}: ${message}`),
      ...this.#failures.map(({ element, error }) => `${element.title}: ${error.message}`),
    ])
    for (const complaint of now) if (!this.#told.has(complaint)) this.#options.log('warn', complaint)
    this.#told = now
  }

  /** Tells what has become of it. */
  async #write(): Promise<void> {
    this.#untold = false
    const news = this.#news
    this.#news = new Set()
    try {
      await this.#writeNews(news)
    } catch (error) {
      // To be told yet.
      if (news === undefined) this.#news = undefined
      else for (const port of news) this.#news?.add(port)
      throw error
    }
  }

  async #writeNews(news: ReadonlySet<string> | undefined): Promise<void> {
    const { network } = this.#options
    const names = news === undefined ? this.#index.names() : [...news]
    const { ports: asked, devices } = this.#index.meant(this.#ovs.snapshot!, names)
    const ports = new Map((await network.dpif.ports(asked)).map((port) => [port.name, port]))
    this.#devices.look(devices)
    const rows = this.#index.find(new DatabaseReader(this.#ovs.snapshot), names)
    const statuses = statusOf(this.#ovs.snapshot!, this.#lab?.snapshot, rows, {
      network: network.network,
      problems: this.#problems,
      failures: this.#failures,
      ports,
      devices: this.#devices,
      applied: this.#applied,
      dummies: this.#options.dummies !== 'none',
      release: this.#release,
      macOf: (port) => formatMac(network.macOf(port)),
      controllerOf: (bridge, target) => this.#controllerOf(bridge, target),
    })
    if (this.#lab !== undefined) {
      await this.#transact(this.#lab, statusOperations(this.#lab.snapshot!, statuses.lab))
    }
    await this.#transact(this.#ovs, statusOperations(this.#ovs.snapshot!, statuses.ovs))
  }

  #controllerOf(bridge: string, target: string): ControllerFacts | undefined {
    const known = this.#options.network.controllerStatus(bridge, target)
    if (known === undefined) return undefined
    return {
      connected: known.connected,
      role: known.role && ROLES[known.role],
      lastError: known.lastFailure === '' ? undefined : known.lastFailure,
    }
  }

  #armStatistics(): void {
    if (this.#statistics !== undefined) return
    const { clock } = this.#options
    const root = this.#ovs.snapshot && new DatabaseReader(this.#ovs.snapshot).root('Open_vSwitch')
    const given = Number(root?.words('other_config').get('stats-update-interval'))
    const interval = given > 0 ? Math.max(given, STATISTICS_INTERVAL) : STATISTICS_INTERVAL
    this.#statistics = clock.schedule(clock.now() + interval, () => {
      this.#statistics = undefined
      void this.#writeStatistics().finally(() => {
        if (!this.#closed) this.#armStatistics()
      })
    })
  }

  async #writeStatistics(): Promise<void> {
    if (!this.#ready || this.#held) return
    const changed = this.#devices.changes()
    if (changed.length > 0) this.#tell(changed)
    try {
      const counters = await this.#counters.changes(this.#options.network.dpif)
      const ovs = this.#ovs.snapshot!
      const rows = [...machineStatistics(ovs), ...countersStatus(ovs, this.#index, counters)]
      await this.#transact(this.#ovs, statusOperations(ovs, rows))
    } catch {
      // The next time will tell.
    }
  }

  async #transact(replica: Replica, operations: Parameters<Replica['transact']>[0]): Promise<void> {
    if (operations.length === 0) return
    const results = await replica.transact(operations)
    const failure = results.find(
      (result) => result !== null && typeof result === 'object' && 'error' in result,
    )
    if (failure !== undefined) throw new Error(`the database refuses a change: ${JSON.stringify(failure)}`)
  }
}

/** The port that has to tell how it stands with an element. */
function portOf(element: Element): string | undefined {
  return element.kind === 'port' || element.kind === 'interface' ? element.spec.name : undefined
}

function nextChange({ snapshot }: Replica): number | undefined {
  return new DatabaseReader(snapshot).root('Open_vSwitch')?.optionalNumber('next_cfg')
}
