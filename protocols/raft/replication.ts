/** The leader's entries in the logs of all, and what is agreed upon by that (Ongaro, "Consensus", 3.5 and 3.6). */

import type { Uuid } from '../ovsdb/uuid.ts'
import { applied, crashPoint, reassure } from './commands.ts'
import type { Entry } from './entry.ts'
import { runReconfigure } from './membership.ts'
import type { AppendResult, Rpc } from './rpc.ts'
import { sendSnapshot } from './snapshot.ts'
import type { Server, State } from './state.ts'

const HEARTBEAT = 'heartbeat'

/** Sends a server the next entries, or none. */
export function sendAppendRequest(state: State, server: Server, n: number, comment?: string): void {
  const { log } = state
  const prevLogIndex = server.nextIndex - 1
  state.send(server.sid, {
    method: 'append_request',
    term: state.term,
    prevLogIndex,
    prevLogTerm: prevLogIndex >= log.start ? log.term(prevLogIndex) : log.snapshot.term,
    leaderCommit: state.commitIndex,
    log: n === 0 ? [] : log.slice(server.nextIndex, server.nextIndex + n),
    ...(comment === undefined ? {} : { comment }),
  })
}

export function sendHeartbeats(state: State): void {
  for (const peer of state.peers) sendAppendRequest(state, peer, 0, HEARTBEAT)
  reassure(state)
  state.resetPingTimer()
}

export function handleAppendRequest(state: State, from: Uuid, request: Rpc<'append_request'>): void {
  if (!acknowledgeLeader(state, from)) {
    reply(state, from, request, 'inconsistency', 'usurped leadership')
    return
  }
  state.resetElectionTimer()
  const { log } = state
  const { prevLogIndex, prevLogTerm } = request
  const last = prevLogIndex + request.log.length
  // What is before the log was agreed upon, and is the same for all.
  if (last < log.start - 1) reply(state, from, request, 'OK', 'append before log start')
  else if (prevLogIndex < log.start - 1) {
    const known = log.start - 1 - prevLogIndex
    append(state, from, request, log.start - 1, request.log[known - 1].term, request.log.slice(known))
  } else append(state, from, request, prevLogIndex, prevLogTerm, request.log)
}

/** False when this server is the leader itself. */
function acknowledgeLeader(state: State, sid: Uuid): boolean {
  if (state.role === 'leader') {
    state.sink.warn(`this server is leader but server ${state.nameOf(sid)} claims to be`)
    return false
  }
  if (sid !== state.leader) {
    state.sink.info(`server ${state.nameOf(sid)} is leader for term ${state.term}`)
    state.setLeader(sid)
  }
  state.role = 'follower'
  return true
}

function append(
  state: State,
  from: Uuid,
  request: Rpc<'append_request'>,
  prevIndex: number,
  prevTerm: number,
  entries: readonly Entry[],
): void {
  const { log } = state
  if (!log.has(prevIndex, prevTerm)) {
    const why = prevIndex >= log.end ? 'mismatch past end of log' : 'term mismatch'
    reply(state, from, request, 'inconsistency', why)
    return
  }
  let known = 0
  while (known < entries.length && log.has(prevIndex + 1 + known, entries[known].term)) known++
  const added = entries.slice(known)
  if (added.length === 0) {
    reply(state, from, request, 'OK', request.comment === HEARTBEAT ? HEARTBEAT : 'no change')
    return
  }
  const end = prevIndex + 1 + known
  if (end <= state.commitIndex) {
    // Whoever says so is not of this cluster: what is agreed upon never changes.
    reply(state, from, request, 'inconsistency', 'committed entries differ')
    return
  }
  crashPoint(state, 'crash-after-receiving-append-request-update')
  const reconfigured = log.reconfigures(end - 1) || added.some(({ servers }) => servers !== undefined)
  state.truncate(end)
  const written = added.every((entry) => state.writeEntry(entry))
  if (reconfigured) state.readServers()
  if (written) reply(state, from, request, 'OK', 'log updated')
  else reply(state, from, request, 'I/O error', 'I/O error')
}

function reply(
  state: State,
  to: Uuid,
  request: Rpc<'append_request'>,
  result: AppendResult,
  comment: string,
): void {
  const { prevLogIndex, prevLogTerm, leaderCommit, log } = request
  const nEntries = log.length
  if (result === 'OK') advanceCommitIndex(state, Math.min(leaderCommit, prevLogIndex + nEntries))
  state.send(to, {
    method: 'append_reply',
    term: state.term,
    logEnd: state.log.end,
    prevLogIndex,
    prevLogTerm,
    nEntries,
    result,
    comment,
  })
}

/** Tells the leader that sends with a term that has passed. */
export function rejectStale(state: State, from: Uuid, request: Rpc<'append_request'>): void {
  reply(state, from, request, 'inconsistency', 'stale term')
}

export function handleAppendReply(state: State, from: Uuid, rpc: Rpc<'append_reply'>): void {
  if (state.role !== 'leader') return
  const server = state.peer(from) ?? state.addServers.get(from)
  if (server === undefined) return
  const { log } = state
  server.replied = true
  if (rpc.result === 'OK') {
    const match = Math.min(rpc.prevLogIndex + rpc.nEntries, log.last)
    server.nextIndex = Math.max(server.nextIndex, match + 1)
    updateMatchIndex(state, server, match)
  } else {
    // The end of its log is where to try again at the latest (4.2.1).
    server.nextIndex = Math.max(1, Math.min(server.nextIndex - 1, rpc.logEnd))
    if (rpc.result === 'I/O error') {
      state.sink.info(`${state.nameOf(from)} reported I/O error`)
      return
    }
  }
  if (server.nextIndex < log.start) sendSnapshot(state, server)
  else if (server.nextIndex < log.end) sendAppendRequest(state, server, log.end - server.nextIndex)
  else if (server.phase === 'adding: catchup') {
    server.phase = 'adding: caught up'
    runReconfigure(state)
  }
}

function updateMatchIndex(state: State, server: Server, index: number): void {
  if (index <= server.matchIndex) return
  server.matchIndex = index
  considerCommitting(state)
}

/** The leader's own entries count when they are on its disk. */
export function updateOwnMatchIndex(state: State): void {
  const own = state.servers.get(state.sid)
  if (state.role === 'leader' && own !== undefined) updateMatchIndex(state, own, state.logSynced)
}

/** An entry of this term that most have, and all before it, are agreed upon (3.6.2). */
function considerCommitting(state: State): void {
  const { log } = state
  for (let index = log.last; index > state.commitIndex && log.term(index) === state.term; index--) {
    const servers = [...state.servers.values()]
    if (!state.isMajority(servers.filter(({ matchIndex }) => matchIndex >= index).length)) continue
    if (advanceCommitIndex(state, index)) sendHeartbeats(state)
    return
  }
}

/** @returns whether it is further than it was */
export function advanceCommitIndex(state: State, to: number): boolean {
  if (to <= state.commitIndex) return false
  while (state.commitIndex < to) {
    const entry = state.log.entry(++state.commitIndex)
    if (entry.electionTimer !== undefined) {
      state.sink.info(`Election timer changed from ${state.electionTimer} to ${entry.electionTimer}`)
      state.electionTimer = entry.electionTimer
      state.electionTimerNew = 0
    }
    if (entry.servers === undefined) continue
    if (state.role === 'leader') runReconfigure(state)
    else if (!state.log.reconfigures(state.commitIndex)) settle(state, entry.servers)
  }
  // The file is read up to there at the next start.
  state.write({ type: 'commit_index', commitIndex: state.commitIndex })
  applyCommitted(state)
  return true
}

/** A follower learns that servers were added for good, itself perhaps among them, by another leader than had begun it. */
function settle(state: State, servers: ReadonlyMap<Uuid, string>): void {
  for (const sid of servers.keys()) {
    const server = state.servers.get(sid)
    if (server?.phase === 'adding: committing') server.phase = 'stable'
    if (state.joining && sid === state.sid) state.joined()
  }
}

/** Hands out what is agreed upon and was not yet. A server that joins does so when it has. */
export function applyCommitted(state: State): void {
  if (state.joining || state.failed) return
  const { log } = state
  if (state.lastApplied < log.start - 1) {
    state.lastApplied = log.start - 1
    state.sink.apply(log.snapshot, state.lastApplied)
    applied(state, undefined, state.lastApplied)
  }
  while (state.lastApplied < state.commitIndex) {
    const index = ++state.lastApplied
    const entry = log.entry(index)
    if (entry.data === undefined) continue
    state.sink.apply(entry, index)
    applied(state, entry.eid, index)
  }
}
