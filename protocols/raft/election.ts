/** Who leads: elections, how a leader is deposed, and how it hands over (Ongaro, 3.4, 3.10 and 4.2.3). */

import { type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import { appendOther } from './commands.ts'
import { cancelReconfiguration } from './membership.ts'
import { updateOwnMatchIndex } from './replication.ts'
import type { Rpc } from './rpc.ts'
import type { Server, State } from './state.ts'

export function startElection(state: State, leadershipTransfer: boolean): void {
  const own = state.servers.get(state.sid)
  if (state.leaving || own === undefined) {
    state.resetElectionTimer()
    return
  }
  if (state.role === 'leader') becomeFollower(state)
  if (!state.setTerm(state.term + 1, state.sid)) return
  state.leader = ZERO_UUID
  state.role = 'candidate'
  state.candidateRetrying = !state.hadLeader
  state.hadLeader = false
  state.votes = 0
  state.electionStart = state.now
  state.electionWon = undefined
  state.leadershipTransfer = leadershipTransfer
  state.sink.info(`term ${state.term}: starting election`)
  state.resetElectionTimer()
  for (const server of state.servers.values()) server.vote = ZERO_UUID
  if (state.failureTest !== 'dont-send-vote-request') {
    const { term, log } = state
    const request: Rpc = {
      method: 'vote_request',
      term,
      lastLogIndex: log.last,
      lastLogTerm: log.lastTerm,
      leadershipTransfer,
    }
    for (const peer of state.peers) state.send(peer.sid, request)
  }
  acceptVote(state, own, state.sid)
}

function acceptVote(state: State, server: Server, vote: Uuid): void {
  if (server.vote === vote) return
  server.vote = vote
  if (vote === state.sid && state.isMajority(++state.votes)) becomeLeader(state)
}

function becomeLeader(state: State): void {
  state.sink.info(`term ${state.term}: elected leader by ${state.votes}+ of ${state.servers.size} servers`)
  state.role = 'leader'
  state.electionWon = state.now
  state.setLeader(state.sid)
  state.resetElectionTimer()
  state.resetPingTimer()
  // Whoever the others vote for is one of them, though nobody may have told it so.
  state.joined()
  for (const server of state.servers.values()) {
    server.nextIndex = state.log.end
    server.matchIndex = 0
    server.phase = 'stable'
    server.replied = false
    server.installing = false
  }
  state.electionTimerNew = 0
  updateOwnMatchIndex(state)
  // What the log has of earlier terms is agreed upon when an entry of this one is (6.4).
  appendOther(state, {})
}

export function becomeFollower(state: State): void {
  state.leader = ZERO_UUID
  if (state.role === 'follower') return
  state.role = 'follower'
  state.resetElectionTimer()
  cancelReconfiguration(state)
}

/** Takes note of the term of a message. False when it has passed, and the message is to be rejected. */
export function receiveTerm(state: State, term: number): boolean {
  if (term < state.term) return false
  if (term > state.term) {
    if (!state.setTerm(term, ZERO_UUID)) return false
    becomeFollower(state)
  }
  return true
}

/** Whether a server asks for votes that has only lost sight of the leader; the leader is not deposed by that (4.2.3). */
export function isDisruptive(state: State, rpc: Rpc): boolean {
  if (rpc.method !== 'vote_request' || rpc.leadershipTransfer) return false
  if (state.role === 'leader') return true
  return state.role === 'follower' && state.now < state.electionBase + state.electionTimer
}

export function handleVoteRequest(state: State, from: Uuid, rpc: Rpc<'vote_request'>): void {
  const { log } = state
  if (state.vote === ZERO_UUID) {
    const ours = log.lastTerm
    const behind = rpc.lastLogTerm < ours || (rpc.lastLogTerm === ours && rpc.lastLogIndex < log.last)
    if (behind || !state.setTerm(state.term, from)) return
    state.resetElectionTimer()
  }
  // Who has voted for another says so.
  state.send(from, { method: 'vote_reply', term: state.term, vote: state.vote })
}

export function handleVoteReply(state: State, from: Uuid, { vote }: Rpc<'vote_reply'>): void {
  const server = state.peer(from)
  if (state.role === 'candidate' && server !== undefined) acceptVote(state, server, vote)
}

/** The time is up: a leader that has heard of most goes on, anybody else wants to be one. */
export function electionTimeout(state: State): void {
  if (state.role === 'leader') {
    const replied = state.peers.filter((server) => server.replied).length
    if (replied >= Math.floor(state.servers.size / 2)) {
      for (const server of state.servers.values()) server.replied = false
      state.resetElectionTimer()
      return
    }
    becomeFollower(state)
  }
  startElection(state, false)
}

/** Asks one of those that know most to take over, at once. */
export function transferLeadership(state: State, reason: string): void {
  if (state.role !== 'leader') return
  const candidates = state.peers
    .filter(({ phase }) => phase === 'stable')
    .map((server) => ({ server, lot: state.random() }))
    .sort((a, b) => b.server.matchIndex - a.server.matchIndex || a.lot - b.lot)
  for (const { server } of candidates) {
    const { sid } = server
    if (!state.send(sid, { method: 'become_leader', term: state.term, comment: reason })) continue
    const comment = `transferring leadership to ${state.nameOf(sid)} because ${reason}`
    state.note('transfer leadership', comment)
    return
  }
}

export function handleBecomeLeader(state: State, from: Uuid, { term }: Rpc<'become_leader'>): void {
  if (state.role !== 'follower') return
  state.sink.info(`received leadership transfer from ${state.nameOf(from)} in term ${term}`)
  startElection(state, true)
}

/** The leader makes way, so that others need not wait while it is busy. */
export function stepBack(state: State, reason: string): void {
  transferLeadership(state, reason)
  becomeFollower(state)
}
