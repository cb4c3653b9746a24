/** Whether the server is the active one or the backup of another, and the change between the two. */

import { type Duration, MINUTE } from '../../protocols/time.ts'
import type { TlsFiles } from '../net/stream.ts'
import { remoteAt } from '../ovsdb/remote.ts'
import type { OvsdbServer } from '../ovsdb/server.ts'
import type { ModuleLog } from '../process/vlog.ts'
import type { Clock } from '../services/scheduler.ts'
import { parseExcludedTables, Replication } from './replication.ts'

const PROBE_INTERVAL = MINUTE

export interface RoleOptions {
  readonly server: OvsdbServer
  readonly clock: Clock
  readonly log: ModuleLog
  readonly tls: () => TlsFiles | undefined
}

export class Role {
  readonly #options: RoleOptions
  #replication: Replication | undefined
  #syncFrom: string | undefined
  #excluded = ''
  #probeInterval: Duration = PROBE_INTERVAL

  constructor(options: RoleOptions) {
    this.#options = options
  }

  /** Where the active server is, or will be looked for. */
  get syncFrom(): string | undefined {
    return this.#syncFrom
  }

  /** A backup turns to the new one at once. */
  set syncFrom(remote: string | undefined) {
    this.#syncFrom = remote
    this.#again()
  }

  /** `DATABASE:TABLE,…`. */
  get excluded(): string {
    return this.#excluded
  }

  set excluded(tables: string) {
    parseExcludedTables(tables)
    this.#excluded = tables
    this.#again()
  }

  set probeInterval(interval: Duration) {
    this.#probeInterval = interval
    this.#again()
  }

  /** @throws the reason why not */
  becomeBackup(): void {
    const { server, clock, log, tls } = this.#options
    if (this.#syncFrom === undefined) throw new Error('Unable to connect: active server is not specified.\n')
    const remote = remoteAt(this.#syncFrom, tls())
    if (remote === undefined || remote.passive)
      throw new Error(`${this.#syncFrom}: no active connection method\n`)
    this.#replication?.close()
    const excluded = parseExcludedTables(this.#excluded)
    this.#setReadOnly(true)
    this.#replication = new Replication({
      server,
      clock,
      log,
      remote,
      excluded,
      probeInterval: this.#probeInterval,
    })
  }

  becomeActive(): void {
    this.#replication?.close()
    this.#replication = undefined
    this.#setReadOnly(false)
  }

  /** For `sync-status`. */
  get status(): string {
    if (this.#replication === undefined) return 'state: active\n'
    return `state: backup\n${this.#replication.status}`
  }

  close(): void {
    this.#replication?.close()
  }

  /** Databases have come or gone. */
  databasesChanged(): void {
    this.#again()
  }

  #again(): void {
    if (this.#replication !== undefined) this.becomeBackup()
  }

  /** Clients learn of it when they connect again. */
  #setReadOnly(readOnly: boolean): void {
    const { server } = this.#options
    if (server.readOnly === readOnly) return
    server.readOnly = readOnly
    for (const session of [...server.sessions]) session.close()
  }
}
