/**
 * The databases that a server serves: files, which are opened, closed, and compacted when they have grown or somebody
 * asks; and those of other servers, which are relayed.
 */

import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import type { Random } from '../../protocols/random.ts'
import { HOUR, type Instant, MINUTE } from '../../protocols/time.ts'
import type { TlsFiles } from '../net/tls.ts'
import { trimMemory } from '../process/trim-memory.ts'
import type { Cancel, Clock } from '../services/scheduler.ts'
import { DatabaseFile } from './database-file.ts'
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
  readonly file: DatabaseFile
  readonly path: string
  readonly served: ServedDatabase
  readonly opened: Instant
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
}

/** `relay:DATABASE:REMOTE,…` */
const RELAY = /^relay:([^:]*):(.+)$/s

export class Databases {
  readonly #options: DatabasesOptions
  readonly #open = new Map<string, OpenDatabase>()
  readonly #relays = new Map<string, Relay>()
  /** Whether memory goes back to the system when a database was compacted. */
  trimsMemory = false

  constructor(options: DatabasesOptions) {
    this.#options = options
  }

  /** Serves the database of a file, or `relay:DATABASE:REMOTE,…`. @throws OvsdbError */
  add(name: string): void {
    if (name.startsWith('relay:')) this.#relay(name)
    else this.open(name)
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
    const path = followLinks(name)
    if ([...this.#open.values()].some((open) => open.path === path)) {
      throw new OvsdbError('ovsdb error', `${name}: already open`)
    }
    const { file, database } = DatabaseFile.open(name, server.newUuid, (text) => log.err(text))
    file.columnDiff = columnDiff
    try {
      this.#checkName(database.schema.name)
    } catch (error) {
      void file.close()
      throw error
    }
    const served = server.add(database, { log: file })
    this.#add(file, path, served)
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
    this.#options.server.remove(name)
    await open.file.close()
    return true
  }

  /** There is nothing to compact of a relay. Rejects with an OvsdbError; then the file is as it was. */
  async compact(name: string): Promise<void> {
    const open = this.#open.get(name)
    if (open === undefined) return
    await open.file.compact(open.served.database)
    if (this.trimsMemory) trimMemory()
    this.#schedule(open)
  }

  /** All that was committed is on the disk. Idempotent. */
  async close(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    for (const relay of this.#relays.values()) relay.close()
    this.#relays.clear()
    for (const { cancelTimer } of all) cancelTimer()
    await Promise.all(all.map(({ file }) => file.close()))
  }

  #add(file: DatabaseFile, path: string, served: ServedDatabase): void {
    const open = { file, path, served, opened: this.#options.clock.now(), cancelTimer: () => {} }
    this.#open.set(served.name, open)
    this.#schedule(open)
  }

  /** Looks after a while whether it has grown, again and again. */
  #schedule(open: OpenDatabase): void {
    const { clock, random } = this.#options
    const since = clock.now()
    const wait = COMPACTION_INTERVAL * (1 + random() / 2 ** 32)
    const look = () => {
      const old = clock.now() - since >= COMPACTION_AT_LATEST && open.file.records > 0
      if (open.file.grewLots || old) this.#compactByItself(open)
      else open.cancelTimer = clock.schedule(clock.now() + MINUTE, look)
    }
    open.cancelTimer()
    open.cancelTimer = clock.schedule(since + wait, look)
  }

  #compactByItself(open: OpenDatabase): void {
    const { log } = this.#options
    this.compact(open.served.name).catch((error: Error) => {
      log.warn(`${open.served.name}: compaction failed: ${error.message}`)
      this.#schedule(open)
    })
  }
}
