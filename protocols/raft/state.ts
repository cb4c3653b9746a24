/**
 * What one server of a cluster knows, and the few steps that all parts of the protocol share: to write a record, to
 * send a message no sooner than what it promises is on the disk, and to set the timers.
 */

import type { Json } from '../ovsdb/json-text.ts'
import { type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import type { Random } from '../random.ts'
import { type Duration, type Instant, SECOND } from '../time.ts'
import { nickname, shortId } from './address.ts'
import type { Entry } from './entry.ts'
import type { FailureTest } from './failure-test.ts'
import { RaftLog } from './log.ts'
import type { RaftHeader, RaftRecord } from './record.ts'
import type { CommandStatus, Rpc } from './rpc.ts'

/** Ms of silence of the leader, to which each server adds up to as long again. */
export const ELECTION_BASE: Duration = SECOND
export const ELECTION_RANGE: Duration = SECOND

export type Role = 'follower' | 'candidate' | 'leader'

/** How far the leader is with a server that is to come or to go. */
export type Phase = 'stable' | 'adding: catchup' | 'adding: caught up' | 'adding: committing' | 'removing'

export interface Server {
  readonly sid: Uuid
  readonly address: string
  phase: Phase
  /** What the leader sends it next. */
  nextIndex: number
  /** The last entry that the leader knows to be on its disk. */
  matchIndex: number
  /** Whether it has answered since the leader looked last. */
  replied: boolean
  /** A snapshot is on its way. */
  installing: boolean
  /** In the present election; zero: not yet. */
  vote: Uuid
  lastMessage: Instant | undefined
  /** Who asked for it to be removed; zero: an administrator. */
  requester: Uuid
}

/** A transaction whose fate is not known yet. */
export interface Command {
  readonly eid: Uuid
  /** In the log of this server, while it is leader; 0 where another is. */
  readonly index: number
  /** When it was begun, or last heard of. */
  heard: Instant
  /** The leader has said so, and it will come by the log. */
  committed: number
  /** The follower that asked; zero: this server itself. */
  readonly from: Uuid
  readonly done: (status: CommandStatus) => void
}

/** What the protocol has others do. None of these may call back into it. */
export interface RaftSink {
  /** Writes a record at the end of the file; false when that was not possible. */
  append(record: RaftRecord): boolean
  /** Writes the file anew, durably; false when that was not possible, and then it is as it was. */
  replace(header: RaftHeader, records: readonly RaftRecord[]): boolean
  /** Whether there is a connection to a server. */
  connected(to: Uuid): boolean
  /** False when there is none. */
  send(to: Uuid, rpc: Rpc): boolean
  /** A transaction, or all up to an index, is agreed upon. In the order of the log. */
  apply(entry: Entry, index: number): void
  info(text: string): void
  warn(text: string): void
  /** The process is to end at once, as if it had crashed (`cluster/failure-test`). */
  crash(reason: string): void
}

type Waiter = { readonly ticket: number } & (
  | { readonly type: 'entry'; index: number }
  | { readonly type: 'term'; readonly term: number; readonly vote: Uuid }
)

export class State {
  readonly sink: RaftSink
  readonly random: Random
  now: Instant
  readonly sid: Uuid
  cid: Uuid
  readonly name: string
  readonly localAddress: string
  readonly log = new RaftLog()

  servers = new Map<Uuid, Server>()
  electionTimer = ELECTION_BASE
  /** One that is proposed; 0: none. */
  electionTimerNew = 0

  term = 0
  /** In this term; zero: none yet. */
  vote: Uuid = ZERO_UUID
  syncedTerm = 0
  syncedVote: Uuid = ZERO_UUID
  logSynced = 0

  role: Role = 'follower'
  commitIndex = 0
  lastApplied = 0
  /** Zero: not known. */
  leader: Uuid = ZERO_UUID

  electionBase: Instant
  electionTimeout: Instant
  electionStart: Instant | undefined
  electionWon: Instant | undefined
  leadershipTransfer = false
  votes = 0
  candidateRetrying = false
  hadLeader = false
  everHadLeader = false

  joining = false
  readonly remoteAddresses = new Set<string>()
  joinTimeout: Instant = 0
  leaving = false
  left = false
  leaveTimeout: Instant = 0
  failed = false

  /** Of the leader: servers that are not in the cluster yet. */
  readonly addServers = new Map<Uuid, Server>()
  /** Of the leader: one whose removal is being committed. */
  removeServer: Server | undefined
  readonly commands = new Map<Uuid, Command>()
  pingTimeout: Instant

  failureTest: FailureTest | undefined

  /** Records written. */
  #written = 0
  /** How many of them others wait for. */
  awaited = 0
  #waiters: Waiter[] = []
  #deferred: { readonly to: Uuid; readonly rpc: Rpc }[] = []

  constructor(header: RaftHeader, now: Instant, random: Random, sink: RaftSink) {
    this.sink = sink
    this.random = random
    this.now = now
    this.sid = header.sid
    this.cid = header.cid
    this.name = header.name
    this.localAddress = header.localAddress
    this.electionBase = now
    this.electionTimeout = now
    this.pingTimeout = now
  }

  get nickname(): string {
    return nickname(this.localAddress, this.sid)
  }

  /** Others of the cluster. */
  get peers(): readonly Server[] {
    return [...this.servers.values()].filter(({ sid }) => sid !== this.sid)
  }

  peer(sid: Uuid): Server | undefined {
    return sid === this.sid ? undefined : this.servers.get(sid)
  }

  /** How a server is called, also one that is not known. */
  nameOf(sid: Uuid): string {
    if (sid === this.sid) return this.nickname
    const server = this.servers.get(sid) ?? this.addServers.get(sid)
    return server === undefined ? shortId(sid) : nickname(server.address, sid)
  }

  /** Whether it takes part no more. */
  get over(): boolean {
    return this.left || this.failed
  }

  /** Whether so many are more than half of the servers. */
  isMajority(count: number): boolean {
    return count > this.servers.size / 2
  }

  /** Writes a record that others will be told of when it is on the disk. */
  write(record: RaftRecord): boolean {
    if (this.failed) return false
    if (this.sink.append(record)) {
      this.#written++
      return true
    }
    this.fail()
    return false
  }

  fail(): void {
    if (this.failed) return
    this.failed = true
    this.sink.warn(`${this.name}: entering failure mode due to I/O error`)
  }

  note(note: string, comment: string): void {
    this.write({ type: 'note', note, comment })
  }

  setTerm(term: number, vote: Uuid): boolean {
    if (!this.write(vote === ZERO_UUID ? { type: 'term', term } : { type: 'vote', term, vote })) return false
    this.term = term
    this.vote = vote
    this.awaited = this.#written
    this.#waiters.push({ ticket: this.awaited, type: 'term', term, vote })
    return true
  }

  /** Writes an entry at the end of the log. */
  writeEntry(entry: Entry): boolean {
    const index = this.log.end
    if (!this.write({ type: 'entry', index, entry })) return false
    this.log.push(entry)
    this.awaited = this.#written
    this.#waiters.push({ ticket: this.awaited, type: 'entry', index })
    return true
  }

  /** Forgets entries, which those that come in their places take back in the file as well. */
  truncate(end: number): void {
    if (end < this.log.end) this.sink.info(`truncating ${this.log.end - end} entries from end of log`)
    this.log.truncate(end)
    this.logSynced = Math.min(this.logSynced, end - 1)
    for (const waiter of this.#waiters) {
      if (waiter.type === 'entry') waiter.index = Math.min(waiter.index, end - 1)
    }
  }

  /** So many of the records are on the disk. @returns whether that says more of the log */
  synced(records: number): boolean {
    const before = this.logSynced
    let done = 0
    for (const waiter of this.#waiters) {
      if (waiter.ticket > records) break
      if (waiter.type === 'entry') this.logSynced = waiter.index
      else {
        this.syncedTerm = waiter.term
        this.syncedVote = waiter.vote
      }
      done++
    }
    this.#waiters.splice(0, done)
    const deferred = this.#deferred
    this.#deferred = []
    for (const { to, rpc } of deferred) {
      // What was said in a term that has passed is nobody's any more.
      if (termOf(rpc) !== undefined && termOf(rpc)! < this.term) continue
      this.send(to, rpc)
    }
    return this.logSynced !== before
  }

  /** The file was written anew, and is on the disk. */
  allSynced(): void {
    this.synced(this.awaited)
    this.logSynced = this.log.last
  }

  /** Sends it, at once or when what it promises is on the disk. False when there is no connection. */
  send(to: Uuid, rpc: Rpc): boolean {
    if (to === this.sid) return false
    if (this.#isSynced(rpc)) return this.sink.send(to, rpc)
    if (!this.sink.connected(to)) return false
    this.#deferred.push({ to, rpc })
    return true
  }

  #isSynced(rpc: Rpc): boolean {
    if ((termOf(rpc) ?? 0) > this.syncedTerm) return false
    switch (rpc.method) {
      case 'append_reply':
        return rpc.logEnd - 1 <= this.logSynced
      case 'vote_request':
        return rpc.lastLogIndex <= this.logSynced
      case 'vote_reply':
        return rpc.vote === this.syncedVote
      default:
        return true
    }
  }

  resetElectionTimer(): void {
    let duration = this.electionTimer + (this.random() / 2 ** 32) * ELECTION_RANGE
    if (this.failureTest === 'delay-election') duration += this.electionTimer
    this.electionBase = this.now
    this.electionTimeout = this.now + duration
  }

  resetPingTimer(): void {
    this.pingTimeout = this.now + this.electionTimer / 3
  }

  setLeader(sid: Uuid): void {
    this.leader = sid
    this.everHadLeader = true
    this.hadLeader = true
    this.candidateRetrying = false
    // For those who look at the file later.
    this.write({ type: 'leader', term: this.term, leader: sid })
  }

  joined(): void {
    this.joining = false
  }

  /** Takes the servers that the log has. */
  readServers(): void {
    const servers = new Map<Uuid, Server>()
    for (const [sid, address] of this.log.servers()) {
      servers.set(sid, this.servers.get(sid) ?? this.newServer(sid, address))
    }
    this.servers = servers
  }

  /** Takes the timer that was agreed upon. */
  readElectionTimer(): void {
    this.electionTimer = this.log.electionTimer(this.commitIndex) ?? this.electionTimer
  }

  newServer(sid: Uuid, address: string): Server {
    return {
      sid,
      address,
      phase: 'stable',
      nextIndex: this.log.end,
      matchIndex: 0,
      replied: false,
      installing: false,
      vote: ZERO_UUID,
      lastMessage: undefined,
      requester: ZERO_UUID,
    }
  }

  /** What the file begins with when it is written anew with another snapshot. */
  header(index: number, snapshot: Entry): RaftHeader {
    const { sid, cid, name, localAddress } = this
    return { sid, cid, name, localAddress, beginning: { index, snapshot } }
  }

  /** The record of the present term. */
  termRecord(): RaftRecord {
    const { term, vote } = this
    return vote === ZERO_UUID ? { type: 'term', term } : { type: 'vote', term, vote }
  }
}

/** The term of the sender, where a message tells of one. */
export function termOf(rpc: Rpc): number | undefined {
  return 'term' in rpc ? rpc.term : undefined
}

/** What is proposed to the cluster. */
export interface Proposal {
  readonly data?: Json
  readonly servers?: ReadonlyMap<Uuid, string>
  readonly electionTimer?: number
}
