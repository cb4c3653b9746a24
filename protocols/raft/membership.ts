/** Servers that come and go, one at a time (Ongaro, 4). */

import { type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import { appendOther } from './commands.ts'
import { becomeFollower, transferLeadership } from './election.ts'
import { sendAppendRequest } from './replication.ts'
import type { Rpc } from './rpc.ts'
import type { Server, State } from './state.ts'

/** The next step of a change, when the one before was agreed upon. Only of a leader. */
export function runReconfigure(state: State): void {
  if (state.log.reconfigures(state.commitIndex)) return
  for (const server of state.servers.values()) {
    if (server.phase !== 'adding: committing') continue
    sendAddReply(state, server.sid, true, 'completed')
    server.phase = 'stable'
  }
  const { removeServer } = state
  if (removeServer !== undefined) {
    state.removeServer = undefined
    sendRemoveReply(state, removeServer.sid, removeServer.requester, true, 'completed')
    // It may have been this server itself.
    if (state.left) return
  }
  for (const server of state.addServers.values()) {
    if (server.phase !== 'adding: caught up') continue
    state.addServers.delete(server.sid)
    state.servers.set(server.sid, server)
    server.phase = 'adding: committing'
    logServers(state)
    return
  }
  for (const server of state.servers.values()) {
    if (server.phase !== 'removing') continue
    state.servers.delete(server.sid)
    state.removeServer = server
    logServers(state)
    return
  }
}

function logServers(state: State): void {
  const servers = new Map([...state.servers.values()].map(({ sid, address }) => [sid, address]))
  appendOther(state, { servers })
}

/** The leader is one no more: what it has begun is for the next to take up. */
export function cancelReconfiguration(state: State): void {
  for (const { sid } of state.addServers.values()) sendAddReply(state, sid, false, 'lost leadership')
  state.addServers.clear()
  const { removeServer } = state
  state.removeServer = undefined
  if (removeServer !== undefined) {
    sendRemoveReply(state, removeServer.sid, removeServer.requester, false, 'lost leadership')
  }
}

function sendAddReply(state: State, sid: Uuid, success: boolean, comment: string): void {
  state.sink.info(`adding ${state.nameOf(sid)} to cluster ${success ? 'succeeded' : 'failed'} (${comment})`)
  const remoteAddresses = state.joining ? [] : state.peers.map(({ address }) => address)
  state.send(sid, { method: 'add_server_reply', success, remoteAddresses, comment })
}

/** To who has asked, and to who is removed, so that it is sure of it. */
function sendRemoveReply(
  state: State,
  target: Uuid,
  requester: Uuid,
  success: boolean,
  comment: string,
): void {
  const by = requester === ZERO_UUID ? 'via unixctl' : `by ${state.nameOf(requester)}`
  const outcome = `${success ? 'succeeded' : 'failed'} (${comment})`
  state.sink.info(`request ${by} to remove ${state.nameOf(target)} ${outcome}`)
  for (const to of new Set([requester, target])) {
    if (to === ZERO_UUID) continue
    if (to !== state.sid) {
      const told = to === target ? ZERO_UUID : target
      state.send(to, { method: 'remove_server_reply', success, target: told, comment })
    } else if (success && target === state.sid) finishLeaving(state)
  }
}

function finishLeaving(state: State): void {
  if (state.left) return
  state.sink.info(`${state.nickname}: finished leaving cluster`)
  state.note('left', 'this server left the cluster')
  state.leaving = false
  state.left = true
}

export function handleAddServerRequest(
  state: State,
  from: Uuid,
  { address }: Rpc<'add_server_request'>,
): void {
  const obstacle = obstacleToAdding(state, from)
  if (obstacle !== undefined) {
    sendAddReply(state, from, obstacle === 'already in cluster', obstacle)
    return
  }
  const server: Server = { ...state.newServer(from, address), phase: 'adding: catchup', requester: from }
  server.lastMessage = state.now
  state.addServers.set(from, server)
  state.sink.info(`starting to add server ${state.nameOf(from)} at ${address}`)
  // It has nothing yet, says so, and gets a snapshot; or goes on where it was when the leader changed.
  sendAppendRequest(state, server, 0, 'initialize new server')
  if (state.failureTest === 'transfer-leadership-after-starting-to-add') {
    state.failureTest = 'transfer-leadership'
  }
}

function obstacleToAdding(state: State, sid: Uuid): string | undefined {
  if (state.role !== 'leader') return 'not leader'
  const present = state.servers.get(sid)
  if (present?.phase === 'removing') {
    present.phase = 'stable'
    return 'canceled'
  }
  if (present !== undefined) return present.phase === 'stable' ? 'already in cluster' : 'in progress'
  if (state.removeServer?.sid === sid) return 'committing'
  return state.addServers.has(sid) ? 'in progress' : undefined
}

export function handleAddServerReply(
  state: State,
  { success, remoteAddresses }: Rpc<'add_server_reply'>,
): void {
  if (!state.joining) return
  if (success) state.joined()
  else for (const address of remoteAddresses) state.remoteAddresses.add(address)
}

/** @returns what an administrator is told; a server that asks gets its reply by itself. */
export function removeServer(
  state: State,
  target: Uuid,
  requester: Uuid,
): { success: boolean; text: string } {
  const refuse = (success: boolean, comment: string) => {
    sendRemoveReply(state, target, requester, success, comment)
    const outcome = `${success ? 'succeeded' : 'failed'} (${comment})`
    const text = `request via unixctl to remove ${state.nameOf(target)} from cluster ${state.cid.slice(0, 4)} ${outcome}`
    return { success, text }
  }
  if (state.role !== 'leader') return refuse(false, 'not leader')
  if (state.addServers.has(target)) {
    sendAddReply(state, target, false, 'canceled')
    state.addServers.delete(target)
    return { success: true, text: 'started removal' }
  }
  const server = state.servers.get(target)
  if (server === undefined) {
    return state.removeServer?.sid === target
      ? refuse(false, 'in progress')
      : refuse(true, 'already not in cluster')
  }
  if (server.phase === 'adding: committing') return refuse(false, 'committing')
  if (server.phase === 'removing') return refuse(false, 'in progress')
  const others = [...state.servers.values()].filter((each) => each !== server && each.phase !== 'removing')
  if (others.length === 0) return refuse(false, 'empty')
  server.phase = 'removing'
  server.requester = requester
  runReconfigure(state)
  return { success: true, text: 'started removal' }
}

export function handleRemoveServerReply(state: State, { success, target }: Rpc<'remove_server_reply'>): void {
  if (success && (target === ZERO_UUID || target === state.sid)) finishLeaving(state)
}

/** Begins to leave the cluster, for good. */
export function leave(state: State): void {
  if (state.joining || state.leaving || state.over) return
  state.sink.info(`${state.nickname}: starting to leave cluster`)
  state.leaving = true
  transferLeadership(state, 'this server is leaving the cluster')
  becomeFollower(state)
  sendRemoveRequests(state)
}

/** To all: one of them is the leader, and which is not always known. */
export function sendRemoveRequests(state: State): void {
  for (const { sid } of state.peers) {
    state.send(sid, { method: 'remove_server_request', serverId: state.sid })
  }
  state.leaveTimeout = state.now + state.electionTimer
}
