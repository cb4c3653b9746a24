/**
 * One server of a cluster that agrees on a log by Raft (Diego Ongaro, "Consensus: Bridging Theory and Practice", 2014), as
 * ovsdb-server does it (ovsdb(7), "Clustered Database Service Model"; ovsdb(5), "Clustered Format"). It is given
 * messages, the time and word of what is on the disk; it gives records to write, messages to send and what is agreed
 * upon. Whoever owns it flushes the file when `awaited` has grown and says so by `synced`.
 */

import type { Json } from '../ovsdb/json-text.ts'
import { type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import type { Random } from '../random.ts'
import { earlier, type Instant, SECOND } from '../time.ts'
import {
  appendOther,
  completeAll,
  type Done,
  execute,
  expire,
  handleExecuteCommandReply,
  handleExecuteCommandRequest,
} from './commands.ts'
import {
  electionTimeout,
  handleBecomeLeader,
  handleVoteReply,
  handleVoteRequest,
  isDisruptive,
  receiveTerm,
  startElection,
  stepBack,
  transferLeadership,
} from './election.ts'
import type { FailureTest } from './failure-test.ts'
import {
  handleAddServerReply,
  handleAddServerRequest,
  handleRemoveServerReply,
  leave,
  removeServer,
  sendRemoveRequests,
} from './membership.ts'
import type { RaftHeader, RaftRecord } from './record.ts'
import { readRecords } from './recovery.ts'
import {
  applyCommitted,
  handleAppendReply,
  handleAppendRequest,
  rejectStale,
  sendHeartbeats,
  updateOwnMatchIndex,
} from './replication.ts'
import type { Envelope, Rpc, RpcMethod } from './rpc.ts'
import {
  handleInstallSnapshotReply,
  handleInstallSnapshotRequest,
  maySnapshot,
  takeSnapshot,
} from './snapshot.ts'
import { type RaftSink, State, termOf } from './state.ts'

/** Between two requests to be added. */
const JOIN_INTERVAL = SECOND
const ELECTION_TIMER_MIN = 100
const ELECTION_TIMER_MAX = 600_000

type Handler<M extends RpcMethod> = (state: State, from: Uuid, rpc: Rpc<M>) => void

const HANDLERS: { readonly [M in RpcMethod]: Handler<M> } = {
  hello_request: () => {},
  append_request: handleAppendRequest,
  append_reply: handleAppendReply,
  vote_request: handleVoteRequest,
  vote_reply: handleVoteReply,
  add_server_request: handleAddServerRequest,
  add_server_reply: (state, _from, rpc) => handleAddServerReply(state, rpc),
  remove_server_request: (state, from, { serverId }) => {
    removeServer(state, serverId, from)
  },
  remove_server_reply: (state, _from, rpc) => handleRemoveServerReply(state, rpc),
  install_snapshot_request: handleInstallSnapshotRequest,
  install_snapshot_reply: handleInstallSnapshotReply,
  become_leader: handleBecomeLeader,
  execute_command_request: handleExecuteCommandRequest,
  execute_command_reply: (state, _from, rpc) => handleExecuteCommandReply(state, rpc),
}

export class Raft {
  readonly #state: State

  /**
   * Takes up where the file ends. What is agreed upon is applied at once.
   * @throws OvsdbError when the records cannot follow each other, or the server is none of the cluster
   */
  constructor(
    header: RaftHeader,
    records: Iterable<RaftRecord>,
    now: Instant,
    random: Random,
    sink: RaftSink,
  ) {
    const state = new State(header, now, random, sink)
    this.#state = state
    readRecords(state, header, records)
    if (state.joining) state.joinTimeout = now + JOIN_INTERVAL
    state.resetPingTimer()
    state.resetElectionTimer()
    applyCommitted(state)
    // One that is alone need not wait for others.
    if (state.servers.size === 1 && !state.joining) startElection(state, false)
  }

  /** To be looked at only. */
  get state(): Readonly<State> {
    return this.#state
  }

  /** So many of the records have to be on the disk before others hear what they say. */
  get awaited(): number {
    return this.#state.awaited
  }

  /** So many are. */
  synced(now: Instant, records: number): void {
    const state = this.#at(now)
    if (state.over) return
    if (state.synced(records)) updateOwnMatchIndex(state)
  }

  /** The disk has failed: the server is of no use to the cluster any more. */
  fail(): void {
    this.#state.fail()
  }

  /** Why a message is none for this server. */
  misrouted({ cluster, to }: Envelope): string | undefined {
    const { cid, sid } = this.#state
    if (cluster !== cid && cluster !== ZERO_UUID && cid !== ZERO_UUID) return `wrong cluster ${cluster}`
    if (to !== sid && to !== ZERO_UUID) return `misrouted message (addressed to ${to} but we're ${sid})`
    return undefined
  }

  receive(now: Instant, envelope: Envelope): void {
    const state = this.#at(now)
    const { cluster, from, rpc } = envelope
    if (state.over || from === state.sid || this.misrouted(envelope) !== undefined) return
    if (state.cid === ZERO_UUID) state.cid = cluster
    const server = state.servers.get(from) ?? state.addServers.get(from)
    if (server !== undefined) server.lastMessage = now
    if (isDisruptive(state, rpc)) return
    const term = termOf(rpc)
    if (term !== undefined && !receiveTerm(state, term)) {
      if (rpc.method === 'append_request') rejectStale(state, from, rpc)
      return
    }
    const handle = HANDLERS[rpc.method] as Handler<RpcMethod>
    handle(state, from, rpc)
    // Who has joined has yet to hand out what it got before.
    applyCommitted(state)
  }

  pollAt(): Instant | undefined {
    const state = this.#state
    if (state.over) return undefined
    let at: Instant | undefined = state.joining ? state.joinTimeout : state.electionTimeout
    if (state.leaving) at = earlier(at, state.leaveTimeout)
    if (state.role === 'leader' || state.commands.size > 0) at = earlier(at, state.pingTimeout)
    return at
  }

  /** @returns whether a server that is to join has to ask again, by its `greeting` */
  poll(now: Instant): boolean {
    const state = this.#at(now)
    if (state.over) return false
    if (state.failureTest === 'transfer-leadership') {
      state.failureTest = undefined
      stepBack(state, 'preparing to write snapshot')
    }
    if (!state.joining && now >= state.electionTimeout) electionTimeout(state)
    if (state.leaving && now >= state.leaveTimeout) sendRemoveRequests(state)
    if (now >= state.pingTimeout) {
      if (state.role === 'leader') sendHeartbeats(state)
      expire(state)
      state.resetPingTimer()
    }
    if (!state.joining || now < state.joinTimeout) return false
    state.joinTimeout = now + JOIN_INTERVAL
    return true
  }

  /** What a server is told first on a new connection. */
  greeting(): Rpc {
    const { joining, leaving, localAddress: address, sid } = this.#state
    if (joining) return { method: 'add_server_request', address }
    if (leaving) return { method: 'remove_server_request', serverId: sid }
    return { method: 'hello_request', address }
  }

  /** There is another connection to a server: what was sent on the last may be lost. */
  reconnected(sid: Uuid): void {
    const server = this.#state.servers.get(sid)
    if (server !== undefined) server.installing = false
  }

  /** There is no connection to a server any more. One that was to be added has to ask again. */
  disconnected(sid: Uuid): void {
    this.#state.addServers.delete(sid)
  }

  /** @see execute */
  execute(now: Instant, data: Json & object, prereq: Uuid, done: Done): Uuid {
    return execute(this.#at(now), data, prereq, done)
  }

  get maySnapshot(): boolean {
    return maySnapshot(this.#state)
  }

  /** @param content read when the data are wanted. @returns whether that was possible */
  takeSnapshot(now: Instant, content: { readonly data: Json }): boolean {
    return takeSnapshot(this.#at(now), content)
  }

  /** A leader makes way for others, where there are any. */
  stepBack(now: Instant, reason: string): void {
    const state = this.#at(now)
    if (state.servers.size > 1) stepBack(state, reason)
  }

  leave(now: Instant): void {
    leave(this.#at(now))
  }

  /** An administrator removes another server. @returns what to tell */
  kick(now: Instant, sid: Uuid): { success: boolean; text: string } {
    const state = this.#at(now)
    if (state.role === 'leader') return removeServer(state, sid, ZERO_UUID)
    const rpc: Rpc = { method: 'remove_server_request', serverId: sid, comment: 'via unixctl' }
    const success = state.leader !== ZERO_UUID && state.send(state.leader, rpc)
    return {
      success,
      text: success ? 'sent removal request to leader' : 'failed to send removal request',
    }
  }

  /** @returns what to tell */
  changeElectionTimer(now: Instant, timer: number): { success: boolean; text: string } {
    const state = this.#at(now)
    const refuse = (text: string) => ({ success: false, text })
    if (state.role !== 'leader') return refuse('election timer must be changed through leader.')
    if (state.electionTimerNew !== 0) return refuse('election timer change pending.')
    if (timer === state.electionTimer) {
      return { success: true, text: 'change election timer to current value.' }
    }
    if (!(timer >= ELECTION_TIMER_MIN && timer <= ELECTION_TIMER_MAX)) {
      return refuse(
        `election timer must be between ${ELECTION_TIMER_MIN} and ${ELECTION_TIMER_MAX}, in msec.`,
      )
    }
    // Step by step, or followers that have not heard of it yet would want another leader.
    if (timer > 2 * state.electionTimer) {
      return refuse('election timer increase should not exceed the current value x 2.')
    }
    state.electionTimerNew = timer
    appendOther(state, { electionTimer: timer })
    return { success: true, text: 'change of election timer initiated.' }
  }

  setFailureTest(now: Instant, test: FailureTest | undefined): void {
    const state = this.#at(now)
    state.failureTest = test
    if (test === 'delay-election' && state.role === 'follower') state.resetElectionTimer()
  }

  /** The server ends: another may lead at once. */
  close(now: Instant): void {
    const state = this.#at(now)
    if (!state.over) transferLeadership(state, 'this server is shutting down')
    completeAll(state, 'server shutdown')
  }

  #at(now: Instant): State {
    this.#state.now = now
    return this.#state
  }
}
