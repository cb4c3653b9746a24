/**
 * The database of a cluster (ovsdb(7), "Clustered Database Service Model") as one of its servers has it: what the
 * servers have agreed upon is read from their log, and what clients want is proposed for it. A transaction is tried on
 * the database as it is after the last entry of the log, and counts only if it gets the place behind that one.
 */

import { convertDatabase } from '../../protocols/ovsdb/convert.ts'
import { type Database, emptyDatabase } from '../../protocols/ovsdb/database.ts'
import { OvsdbError } from '../../protocols/ovsdb/error.ts'
import type { Json, JsonObject } from '../../protocols/ovsdb/json-text.ts'
import { readJson } from '../../protocols/ovsdb/log-record.ts'
import { replayRecord, transactionRecord } from '../../protocols/ovsdb/log-transaction.ts'
import type { DatabaseSchema } from '../../protocols/ovsdb/schema.ts'
import type { Done } from '../../protocols/ovsdb/transact.ts'
import type { Committed } from '../../protocols/ovsdb/transaction.ts'
import { type Uuid, ZERO_UUID } from '../../protocols/ovsdb/uuid.ts'
import type { Entry } from '../../protocols/raft/entry.ts'
import { Raft } from '../../protocols/raft/raft.ts'
import type { CommandStatus, Envelope, Rpc } from '../../protocols/raft/rpc.ts'
import { ELECTION_RANGE, type RaftSink } from '../../protocols/raft/state.ts'
import type { Random } from '../../protocols/random.ts'
import { type Instant, MINUTE } from '../../protocols/time.ts'
import type { TlsFiles } from '../net/tls.ts'
import { type Cancel, type Clock, MachineTimer } from '../services/scheduler.ts'
import { parseEntryData, refuseEphemeral, wholeEntry } from './cluster-entry.ts'
import type { RaftConnection } from './raft-connection.ts'
import { type OpenedRaftFile, RaftFile } from './raft-file.ts'
import { RaftNetwork } from './raft-network.ts'
import type { Consensus, ServedDatabase } from './served-database.ts'
import type { OvsdbServer } from './server.ts'
import { type ServiceStatus, serviceStatus } from './service-status.ts'

/** Who was refused tries again when it has learned more, and after so many ms at the latest. */
const RETRY_INTERVAL = 100
/** Transactions of this server that are under way. */
const MAX_PROPOSALS = 100
/** Transactions whose fate is unknown that are kept in mind. */
const MAX_DOUBTFUL = 1000
/** While it joins a server does not know how long the others may be silent. */
const LONGEST_SILENCE = 10 * MINUTE

export interface ClusterOptions {
  readonly server: OvsdbServer
  readonly clock: Clock
  readonly random: Random
  readonly tls: () => TlsFiles | undefined
  /** Where sockets of Unix are that have no path. */
  readonly directory: string
  readonly columnDiff: boolean
  readonly log: { info(text: string): void; warn(text: string): void; err(text: string): void }
  /** The server has left the cluster for good. */
  readonly left: (cluster: Cluster) => void
  /** @throws OvsdbError when there can be no database of this name */
  readonly check: (name: string) => void
  /** The process is to end as if it had crashed. */
  readonly crash: (reason: string) => void
}

/** What is on its way into the log: of a transaction what it makes of the database. */
interface Proposal {
  readonly base: Database
  readonly committed: Committed | undefined
  eid: Uuid | undefined
}

type Settled = (outcome: 'committed' | 'again') => void

export class Cluster implements Consensus {
  readonly name: string
  readonly raft: Raft
  readonly network: RaftNetwork
  readonly #options: ClusterOptions
  readonly #file: RaftFile
  readonly #timer: MachineTimer
  #served: ServedDatabase | undefined
  /** The last transaction that was applied. */
  #eid: Uuid = ZERO_UUID
  /** In the order of the log. */
  readonly #proposals: Proposal[] = []
  /** By the ids of transactions that were tried again, as nobody knew what had become of them: whom to tell if they were. */
  readonly #doubtful = new Map<Uuid, () => void>()
  #holding: Cancel | undefined
  #status: ServiceStatus | undefined
  #statusScheduled = false
  #wasReady = false
  /** Conversions that wait for that. */
  readonly #waiting: (() => void)[] = []
  #synced = 0
  #syncing = false
  #closed = false

  /** Takes part in the cluster of which the file is. @throws OvsdbError */
  static open(name: string, options: ClusterOptions): Cluster {
    const opened = RaftFile.open(name, (text) => options.log.err(text))
    try {
      return new Cluster(opened, options)
    } catch (error) {
      void opened.file.close()
      throw error
    }
  }

  private constructor({ file, header, records }: OpenedRaftFile, options: ClusterOptions) {
    const { server, clock, random, log, tls, directory } = options
    this.#options = options
    this.#file = file
    this.name = header.name
    options.check(header.name)
    server.expect(header.name, { model: 'clustered', connected: false, leader: false })
    try {
      this.raft = new Raft(header, records, clock.now(), random, this.#sink())
    } catch (error) {
      server.remove(header.name)
      throw error
    }
    this.network = new RaftNetwork({
      clock,
      tls,
      directory,
      log,
      localAddress: header.localAddress,
      misrouted: (envelope) => this.raft.misrouted(envelope),
      received: (envelope) => this.#run((now) => this.raft.receive(now, envelope)),
      connected: (connection) => {
        this.raft.reconnected(connection.sid)
        this.#greet(connection)
      },
      disconnected: (sid) => this.raft.disconnected(sid),
    })
    const poll = (now: Instant) => this.#poll(now)
    this.#timer = new MachineTimer(clock, { poll, pollAt: () => this.raft.pollAt() })
    log.info(`local server ID is ${header.sid.slice(0, 4)}`)
    this.#after()
  }

  /** Does something with the machine, and what follows from it. */
  run<T>(act: (raft: Raft, now: Instant) => T): T {
    return this.#run((now) => act(this.raft, now))
  }

  /** A leader need not wait for what it has proposed to be agreed upon: the next may follow. */
  get ready(): boolean {
    const { role, leader, log, joining, over } = this.raft.state
    if (this.#holding !== undefined || joining || over) return false
    const last = this.#proposals.at(-1)
    if (last === undefined) return role !== 'candidate' && leader !== ZERO_UUID && log.eid() === this.#eid
    const mayFollow = last.committed !== undefined && this.#proposals.length < MAX_PROPOSALS
    return role === 'leader' && mayFollow && log.eid() === last.eid
  }

  get head(): Database {
    const last = this.raft.state.role === 'leader' ? this.#proposals.at(-1)?.committed : undefined
    return (last ?? this.#served!).database
  }

  propose({ database, changes, comment }: Done, settled: Settled): void {
    const { clock, columnDiff } = this.#options
    const record = transactionRecord(database, changes, clock.now(), comment, columnDiff)
    if (record === undefined) settled('committed')
    else this.#propose([null, readJson(record)], { database, changes }, settled)
  }

  async convert(schema: DatabaseSchema): Promise<void> {
    refuseEphemeral(schema)
    const { server, clock } = this.#options
    for (;;) {
      if (!this.ready) await new Promise<void>((resolve) => this.#waiting.push(resolve))
      if (this.#closed) throw new OvsdbError('ovsdb error', 'server shutdown')
      const converted = convertDatabase(this.head, schema, server.newUuid())
      const data = wholeEntry(converted, clock.now(), 'converted by ovsdb-server')
      const outcome = await new Promise((resolve) => this.#propose(data, undefined, resolve))
      if (outcome === 'committed') return
    }
  }

  #propose(data: readonly Json[], committed: Committed | undefined, settled: Settled): void {
    const proposal: Proposal = { base: this.head, committed, eid: undefined }
    const prereq = this.#proposals.at(-1)?.eid ?? this.#eid
    this.#proposals.push(proposal)
    const decided = (status: CommandStatus) => {
      this.#proposals.splice(this.#proposals.indexOf(proposal), 1)
      if (status === 'success') {
        settled('committed')
        return
      }
      const inDoubt = status === 'timeout' || status === 'lost leadership'
      if (inDoubt && proposal.eid !== undefined) this.#keepInMind(proposal.eid, () => settled('committed'))
      this.#hold()
      settled('again')
    }
    this.#run((now) => {
      proposal.eid = this.raft.execute(now, data, prereq, decided)
    })
  }

  /** Whether the log is so long that a snapshot should take its place. @param old it was not for long */
  shouldCompact(old: boolean): boolean {
    const { lastApplied, log } = this.raft.state
    const entries = lastApplied - log.start + 1
    return old ? entries > 0 : entries >= 100 && this.#file.grewLots
  }

  /** Puts a snapshot in the place of the log. @throws OvsdbError; then the file is as it was */
  compact(): void {
    const database = this.#served?.database
    if (database === undefined)
      throw new OvsdbError('ovsdb error', 'cannot store a snapshot while joining cluster')
    const { clock } = this.#options
    const content = {
      get data(): Json {
        return wholeEntry(database, clock.now(), 'compacting database online')
      },
    }
    if (this.#run((now) => this.raft.takeSnapshot(now, content))) return
    throw new OvsdbError('ovsdb error', 'not storing a duplicate snapshot')
  }

  /** Whether that would keep nobody waiting. A leader has another lead first. */
  mayCompact(): boolean {
    if (this.raft.maySnapshot) return true
    this.#run((now) => this.raft.stepBack(now, 'preparing to write snapshot'))
    return false
  }

  /** What was committed is on the disk, and another server may lead. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#run((now) => this.raft.close(now))
    this.#closed = true
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#timer.stop()
    this.#holding?.()
    await this.network.close()
    this.#options.server.remove(this.name)
    await this.#file.close()
  }

  #run<T>(act: (now: Instant) => T): T {
    const result = act(this.#options.clock.now())
    this.#after()
    return result
  }

  #poll(now: Instant): void {
    if (this.raft.poll(now)) for (const connection of this.network.connections) this.#greet(connection)
    this.#after()
  }

  #greet(connection: RaftConnection): void {
    if (!this.raft.state.over) connection.send(this.#envelope(connection.sid, this.raft.greeting()))
  }

  #envelope(to: Uuid, rpc: Rpc): Envelope {
    const { cid, sid } = this.raft.state
    return { cluster: cid, to, from: sid, rpc }
  }

  /** What is to be done when the machine has done something. */
  #after(): void {
    if (this.#closed) return
    const { state } = this.raft
    if (state.over) {
      this.#tellStatus()
      void this.network.close()
      this.#timer.stop()
      if (state.left) this.#options.left(this)
      return
    }
    this.network.silent = state.failureTest === 'stop-raft-rpc'
    this.network.probeInterval = (state.joining ? LONGEST_SILENCE : state.electionTimer) + ELECTION_RANGE
    const others = new Map([...state.servers.values()].map(({ address, sid }) => [address, sid]))
    if (state.joining) {
      for (const address of state.remoteAddresses) {
        if (!others.has(address)) others.set(address, ZERO_UUID)
      }
    }
    others.delete(state.localAddress)
    this.network.call(others)
    this.#sync()
    this.#timer.update()
    if (!this.#statusScheduled) {
      this.#statusScheduled = true
      setImmediate(() => this.#tellStatus())
    }
    this.#becameReady()
  }

  /** Those that wait for that are tried. */
  #becameReady(): void {
    const { ready } = this
    if (ready && !this.#wasReady) {
      for (const resolve of this.#waiting.splice(0)) resolve()
      this.#served?.retry()
    }
    this.#wasReady = ready
  }

  #sync(): void {
    const { awaited } = this.raft
    if (this.#syncing || awaited === this.#synced) return
    this.#syncing = true
    this.#file
      .sync()
      .then(
        () => this.raft.synced(this.#options.clock.now(), awaited),
        (error: Error) => {
          this.#options.log.err(error.message)
          this.raft.fail()
        },
      )
      .then(() => {
        this.#synced = awaited
        this.#syncing = false
        this.#after()
      })
  }

  #tellStatus(): void {
    this.#statusScheduled = false
    const { server } = this.#options
    if (this.#closed || (!server.databases.has(this.name) && !server.expected.has(this.name))) return
    const [before, status] = [this.#status, serviceStatus(this.raft.state)]
    if (JSON.stringify(before) === JSON.stringify(status)) return
    this.#status = status
    server.setStatus(this.name, status)
    if (before?.leader !== status.leader || before?.connected !== status.connected) this.#release()
  }

  /** Waits with the next try. */
  #hold(): void {
    const { clock } = this.#options
    this.#holding ??= clock.schedule(clock.now() + RETRY_INTERVAL, () => this.#release())
  }

  #release(): void {
    this.#holding?.()
    this.#holding = undefined
    this.#becameReady()
  }

  #keepInMind(eid: Uuid, tell: () => void): void {
    this.#doubtful.set(eid, tell)
    const [oldest] = this.#doubtful.keys()
    if (this.#doubtful.size > MAX_DOUBTFUL) this.#doubtful.delete(oldest)
  }

  #sink(): RaftSink {
    const { log, crash } = this.#options
    const attempt = (act: () => void): boolean => {
      try {
        act()
        return true
      } catch (error) {
        if (!(error instanceof OvsdbError)) throw error
        log.err(error.message)
        return false
      }
    }
    return {
      append: (record) => attempt(() => this.#file.append(record)),
      replace: (header, records) => attempt(() => this.#file.replace(header, records)),
      connected: (to) => this.network?.find(to) !== undefined,
      send: (to, rpc) => this.network?.send(this.#envelope(to, rpc)) ?? false,
      apply: (entry) => attempt(() => this.#apply(entry)),
      info: (text) => log.info(text),
      warn: (text) => log.warn(text),
      crash,
    }
  }

  /** @throws OvsdbError when the entry does not make sense */
  #apply({ data, eid }: Entry): void {
    const { schema, record } = parseEntryData(data, this.name)
    if (schema !== undefined) this.#replace(schema, record, eid)
    else if (record !== undefined) {
      if (this.#served === undefined) throw new OvsdbError('ovsdb error', `${this.name}: data without schema`)
      this.#served.become(this.#committed(this.#served.database, record, eid), eid)
    }
    this.#eid = eid
    this.#holding?.()
    this.#holding = undefined
    const tell = this.#doubtful.get(eid)
    this.#doubtful.delete(eid)
    tell?.()
  }

  #committed(database: Database, record: JsonObject, eid: Uuid): Committed {
    const own = this.#proposals.find((each) => each.eid === eid)
    if (own?.committed !== undefined && own.base === database) return own.committed
    return replayRecord(database, record, this.#options.server.newUuid)
  }

  #replace(schema: DatabaseSchema, record: JsonObject | undefined, eid: Uuid): void {
    const { server } = this.#options
    const empty = emptyDatabase(schema)
    const database = record === undefined ? empty : replayRecord(empty, record, server.newUuid).database
    if (this.#served === undefined) this.#served = server.add(database, { consensus: this, lastId: eid })
    else this.#served.replace(database, '', eid)
  }
}
