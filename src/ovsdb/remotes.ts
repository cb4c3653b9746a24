import { parseAddress, underDirectory } from '../net/address.ts'
import type { TlsFiles } from '../net/stream.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import { ActiveRemote } from './active-remote.ts'
import { PassiveRemote } from './passive-remote.ts'
import { OVSDB_PORT } from './remote.ts'
import { statusColumns } from './remote-status.ts'
import { RemoteNameError, type RemoteTarget, targetsOf } from './remote-targets.ts'
import type { ServedDatabase } from './served-database.ts'
import type { OvsdbServer } from './server.ts'

/** How often what is known of remotes is written into the rows that asked for them. */
const STATUS_INTERVAL = 2500

export interface RemotesOptions {
  readonly server: OvsdbServer
  readonly clock: Clock
  /** Where relative sockets are. */
  readonly directory: string
  /** Asked anew for every remote that is opened. */
  readonly tls: () => TlsFiles | undefined
  readonly log?: { info(text: string): void; warn(text: string): void; err(text: string): void }
}

type OpenRemote = PassiveRemote | ActiveRemote

/**
 * The addresses at which clients come, or are called: those that were given, and those that rows of the databases
 * ask for, for as long as they do.
 */
export class Remotes {
  readonly #options: RemotesOptions
  readonly #names = new Set<string>()
  readonly #open = new Map<string, { readonly remote: OpenRemote; readonly target: RemoteTarget }>()
  readonly #observed = new Map<ServedDatabase, () => void>()
  #error: string | undefined
  /** Targets that are no addresses, which has been said. */
  readonly #refused = new Set<string>()
  #cancelStatus: Cancel | undefined
  #reconfigureScheduled = false

  constructor(options: RemotesOptions) {
    this.#options = options
    this.#scheduleStatus()
  }

  /** As they were given. */
  get names(): readonly string[] {
    return [...this.#names]
  }

  /** Resolves when it is being listened. */
  async add(name: string): Promise<void> {
    this.#names.add(name)
    this.#reconfigure()
    await this.settled()
  }

  remove(name: string): void {
    this.#names.delete(name)
    this.#reconfigure()
  }

  /** Resolves when every address has been tried. */
  async settled(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ remote }) => remote.settled))
  }

  /** The port that a passive remote listens at. */
  boundPort(target: string): number | undefined {
    return this.#open.get(target)?.remote.boundPort
  }

  close(): void {
    this.#cancelStatus?.()
    for (const stop of this.#observed.values()) stop()
    this.#observed.clear()
    this.#names.clear()
    for (const { remote } of this.#open.values()) remote.close()
    this.#open.clear()
  }

  #reconfigure(): void {
    const { server, log } = this.#options
    const wanted = new Map<string, RemoteTarget>()
    const errors: string[] = []
    for (const name of this.#names) {
      try {
        for (const target of targetsOf(name, server.databases)) wanted.set(target.target, target)
      } catch (error) {
        if (!(error instanceof RemoteNameError)) throw error
        errors.push(error.message)
      }
    }
    const error = errors.join('\n') || undefined
    if (error !== undefined && error !== this.#error) log?.warn(error)
    this.#error = error
    for (const [name, { remote, target }] of this.#open) {
      const next = wanted.get(name)
      if (next !== undefined && sameFromTheStart(next, target)) continue
      log?.info(`${name}: remote deconfigured`)
      remote.close()
      this.#open.delete(name)
    }
    for (const [name, target] of wanted) {
      const remote = this.#open.get(name)?.remote ?? this.#openRemote(target)
      if (remote === undefined) continue
      remote.configure(target)
      this.#open.set(name, { remote, target })
    }
    this.#observe()
  }

  #openRemote(target: RemoteTarget): OpenRemote | undefined {
    const { server, clock, directory, tls, log } = this.#options
    const parsed = parseAddress(target.target, OVSDB_PORT)
    if (parsed === undefined) {
      if (!this.#refused.has(target.target)) {
        log?.err(`${target.target}: listen failed: Address family not supported by protocol`)
      }
      this.#refused.add(target.target)
      return undefined
    }
    const address = underDirectory(parsed, directory)
    const common = { server, clock, address, tls, target, ...(log === undefined ? {} : { log }) }
    return address.passive ? new PassiveRemote(common) : new ActiveRemote(common)
  }

  /** Rows may ask for other remotes whenever a database changes that is named, or comes or goes. */
  #observe(): void {
    const { databases } = this.#options.server
    const named = new Set(
      [...this.#names].flatMap((name) => {
        if (!name.startsWith('db:')) return []
        const served = databases.get(name.slice(3).split(',')[0])
        return [databases.get('_Server')!, ...(served === undefined ? [] : [served])]
      }),
    )
    for (const [served, stop] of this.#observed) {
      if (named.has(served)) continue
      stop()
      this.#observed.delete(served)
    }
    for (const served of named) {
      if (this.#observed.has(served)) continue
      const changed = () => this.#scheduleReconfigure()
      this.#observed.set(served, served.observe({ committed: changed, replaced: changed }))
    }
  }

  #scheduleReconfigure(): void {
    if (this.#reconfigureScheduled) return
    this.#reconfigureScheduled = true
    queueMicrotask(() => {
      this.#reconfigureScheduled = false
      this.#reconfigure()
    })
  }

  #scheduleStatus(): void {
    const { clock } = this.#options
    this.#cancelStatus = clock.schedule(clock.now() + STATUS_INTERVAL, () => {
      this.updateStatus()
      this.#scheduleStatus()
    })
  }

  /** Writes the status of remotes into their rows. */
  updateStatus(): void {
    for (const { remote, target } of this.#open.values()) {
      const { row } = target
      // Whoever reads a relayed database elsewhere has remotes of its own.
      if (row === undefined || row.served.source !== undefined) continue
      const columns = statusColumns(remote.status, row.served.database.tables.get(row.table)!.schema)
      if (columns === undefined) continue
      row.served.execute([
        { op: 'update', table: row.table, where: [['_uuid', '==', ['uuid', row.uuid]]], row: columns },
      ])
    }
  }
}

/** Whether they differ in nothing but what can be changed while it is open. */
function sameFromTheStart(a: RemoteTarget, b: RemoteTarget): boolean {
  return a.readOnly === b.readOnly && a.role === b.role && a.dscp === b.dscp
}
