/**
 * The databases that a server serves: files, its own or those of a cluster, which are opened, closed, and compacted when
 * they have grown or somebody asks; and those of other servers, which are relayed.
 */

import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import type { Random } from '../../protocols/random.ts'
import { HOUR, MINUTE } from '../../protocols/time.ts'
import type { TlsFiles } from '../net/tls.ts'
import { trimMemory } from '../process/trim-memory.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { DatabaseFile } from './database-file.ts'
import { isClustered } from './database-reader.ts'
import { followLinks } from './lock-file.ts'
import { Relay } from './relay.ts'
import { remoteAt } from './remote.ts'
import type { ServedDatabase } from './served-database.ts'
import type { OvsdbServer } from './server.ts'

/** Not sooner than this after it was opened or compacted, and than up to as long again. */
const COMPACTION_INTERVAL = 10 * MINUTE
/** After so long also what has hardly grown is compacted. */
const COMPACTION_AT_LATEST = 24 * HOUR

interface OpenDatabase {
  readonly path: string
  /** Whether it has grown that much. @param old it was not for long */
  shouldCompact(old: boolean): boolean
  /** Whether now is the time. */
  mayCompact(): boolean
  compact(): Promise<void>
  close(): Promise<void>
  cancelTimer: Cancel
}

export interface DatabasesOptions {
  readonly server: OvsdbServer
  readonly clock: Clock
  readonly random: Random
  /** Whether changed columns are written as differences; default true. */
  readonly columnDiff?: boolean
  readonly log: { warn(text: string): void; err(text: string): void }
  /** For the connections of relays. */
  readonly tls?: () => TlsFiles | undefined
  readonly connectionLog?: { info(text: string): void; warn(text: string): void }
  /** Of a server that may be one of a cluster. */
  readonly clusters?: Pick<ClusterOptions, 'directory' | 'log' | 'crash'>
}

/** `relay:DATABASE:REMOTE,…` */
const RELAY = /^relay:([^:]*):(.+)$/s

export class Databases {
  readonly #options: DatabasesOptions
  readonly #open = new Map<string, OpenDatabase>()
  readonly #relays = new Map<string, Relay>()
  readonly #clusters = new Map<string, Cluster>()
  /** Whether memory goes back to the system when a database was compacted. */
  trimsMemory = false

  constructor(options: DatabasesOptions) {
    this.#options = options
  }

  /** Serves the database of a file, or `relay:DATABASE:REMOTE,…`. @throws OvsdbError */
  add(name: string): void {
    const { clusters } = this.#options
    if (name.startsWith('relay:')) this.#relay(name)
    else if (clusters !== undefined && isClustered(followLinks(name), name)) this.#join(name, clusters)
    else this.open(name)
  }

  /** Those that are of clusters, by their names. */
  get clusters(): ReadonlyMap<string, Cluster> {
    return this.#clusters
  }

  #join(file: string, options: NonNullable<DatabasesOptions['clusters']>): void {
    const { server, clock, random, columnDiff = true, tls = () => undefined } = this.#options
    const path = this.#pathOf(file)
    const left = ({ name }: Cluster) => {
      options.log.info(`${name}: removing database because storage disconnected permanently`)
      void this.remove(name)
    }
    const check = (name: string) => this.#checkName(name)
    const cluster = Cluster.open(file, { ...options, server, clock, random, columnDiff, tls, left, check })
    this.#clusters.set(cluster.name, cluster)
    this.#add(cluster.name, {
      path,
      shouldCompact: (old) => cluster.shouldCompact(old),
      mayCompact: () => cluster.mayCompact(),
      compact: async () => cluster.compact(),
      close: () => cluster.close(),
    })
  }

  /** @throws OvsdbError when the file is open already */
  #pathOf(name: string): string {
    const path = followLinks(name)
    if ([...this.#open.values()].some((open) => open.path === path)) {
      throw new OvsdbError('ovsdb error', `${name}: already open`)
    }
    return path
  }

  #relay(text: string): void {
    const { server, clock, tls, connectionLog } = this.#options
    const [, name, addresses] = RELAY.exec(text) ?? []
    const remotes = (addresses ?? '').split(',').map((address) => remoteAt(address, tls?.()))
    if (!remotes.every((remote) => remote !== undefined)) {
      throw new OvsdbError('ovsdb error', `${text}: invalid syntax`)
    }
    this.#checkName(name)
    this.#relays.set(name, new Relay({ server, clock, log: connectionLog, name, remotes }))
  }

  /** Serves the database of a file. @throws OvsdbError */
  open(name: string): ServedDatabase {
    const { server, log, columnDiff = true } = this.#options
    const path = this.#pathOf(name)
    const { file, database } = DatabaseFile.open(name, server.newUuid, (text) => log.err(text))
    file.columnDiff = columnDiff
    try {
      this.#checkName(database.schema.name)
    } catch (error) {
      void file.close()
      throw error
    }
    const served = server.add(database, { log: file })
    this.#add(served.name, {
      path,
      shouldCompact: (old) => file.grewLots || (old && file.records > 0),
      mayCompact: () => true,
      compact: () => file.compact(served.database),
      close: () => file.close(),
    })
    return served
  }

  #checkName(name: string): void {
    const { databases, expected } = this.#options.server
    const refuse = (why: string) => new OvsdbError('ovsdb error', `${name}: ${why}`)
    if (name.startsWith('_')) throw refuse('names beginning with "_" are reserved')
    if (databases.has(name) || expected.has(name)) throw refuse('duplicate database name')
  }

  /** Names of databases, `_Server` not among them. */
  get names(): readonly string[] {
    return [...this.#open.keys(), ...this.#relays.keys()]
  }

  /** Whether there was such a database. */
  async remove(name: string): Promise<boolean> {
    const relay = this.#relays.get(name)
    relay?.close()
    if (this.#relays.delete(name)) return true
    const open = this.#open.get(name)
    if (open === undefined) return false
    open.cancelTimer()
    this.#open.delete(name)
    this.#clusters.delete(name)
    this.#options.server.remove(name)
    await open.close()
    return true
  }

  /** There is nothing to compact of a relay. Rejects with an OvsdbError; then the file is as it was. */
  async compact(name: string): Promise<void> {
    const open = this.#open.get(name)
    if (open === undefined) return
    await open.compact()
    if (this.trimsMemory) trimMemory()
    this.#schedule(name, open)
  }

  /** All that was committed is on the disk. Idempotent. */
  async close(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    for (const relay of this.#relays.values()) relay.close()
    this.#relays.clear()
    for (const { cancelTimer } of all) cancelTimer()
    this.#clusters.clear()
    await Promise.all(all.map((open) => open.close()))
  }

  #add(name: string, database: Omit<OpenDatabase, 'cancelTimer'>): void {
    const open = { ...database, cancelTimer: () => {} }
    this.#open.set(name, open)
    this.#schedule(name, open)
  }

  /** Looks after a while whether it has grown, again and again. */
  #schedule(name: string, open: OpenDatabase): void {
    const { clock, random } = this.#options
    const since = clock.now()
    const wait = COMPACTION_INTERVAL * (1 + random() / 2 ** 32)
    const look = () => {
      const old = clock.now() - since >= COMPACTION_AT_LATEST
      if (open.shouldCompact(old) && open.mayCompact()) this.#compactByItself(name, open)
      else open.cancelTimer = clock.schedule(clock.now() + MINUTE, look)
    }
    open.cancelTimer()
    open.cancelTimer = clock.schedule(since + wait, look)
  }

  #compactByItself(name: string, open: OpenDatabase): void {
    const { log } = this.#options
    this.compact(name).catch((error: Error) => {
      log.warn(`${name}: compaction failed: ${error.message}`)
      this.#schedule(name, open)
    })
  }
}
