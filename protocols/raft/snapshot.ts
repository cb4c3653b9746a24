/** Snapshots: what stands for the beginning of the log, here and where a server is too far behind (Ongaro, 5). */

import type { Json } from '../ovsdb/json-text.ts'
import type { Uuid } from '../ovsdb/uuid.ts'
import { crashPoint } from './commands.ts'
import type { Entry } from './entry.ts'
import type { RaftRecord } from './record.ts'
import { applyCommitted, sendAppendRequest, updateOwnMatchIndex } from './replication.ts'
import type { Rpc } from './rpc.ts'
import type { Server, State } from './state.ts'

export function sendSnapshot(state: State, server: Server, comment?: string): void {
  if (server.installing) return
  const { log } = state
  const { term: lastTerm, eid: lastEid, data, servers } = log.snapshot
  const lastIndex = log.start - 1
  state.sink.info(`sending snapshot to server ${state.nameOf(server.sid)}, ${lastTerm}:${lastIndex}.`)
  server.installing = state.send(server.sid, {
    method: 'install_snapshot_request',
    term: state.term,
    lastIndex,
    lastTerm,
    lastServers: servers!,
    lastEid,
    electionTimer: state.electionTimer,
    data: data!,
    ...(comment === undefined ? {} : { comment }),
  })
}

export function handleInstallSnapshotRequest(
  state: State,
  from: Uuid,
  request: Rpc<'install_snapshot_request'>,
): void {
  crashPoint(state, 'crash-before-sending-install-snapshot-reply')
  state.resetElectionTimer()
  const { lastIndex, lastTerm } = request
  // Where the log goes that far already there is nothing to be gained.
  const known = lastIndex <= state.commitIndex || state.log.has(lastIndex, lastTerm)
  if (!known && !install(state, request)) return
  state.send(from, { method: 'install_snapshot_reply', term: state.term, lastIndex, lastTerm })
}

function install(state: State, request: Rpc<'install_snapshot_request'>): boolean {
  const { lastIndex, lastTerm, lastServers, lastEid, electionTimer, data } = request
  const snapshot: Entry = { term: lastTerm, data, eid: lastEid, servers: lastServers, electionTimer }
  if (!state.sink.replace(state.header(lastIndex, snapshot), [state.termRecord()])) return false
  state.log.reset(lastIndex + 1, snapshot)
  state.commitIndex = lastIndex
  state.allSynced()
  state.readServers()
  state.readElectionTimer()
  applyCommitted(state)
  return true
}

export function handleInstallSnapshotReply(
  state: State,
  from: Uuid,
  { lastIndex, lastTerm }: Rpc<'install_snapshot_reply'>,
): void {
  if (state.role !== 'leader') return
  const server = state.peer(from) ?? state.addServers.get(from)
  if (server === undefined) return
  server.installing = false
  const { log } = state
  if (lastIndex !== log.start - 1 || lastTerm !== log.snapshot.term) {
    sendSnapshot(state, server, 'installed obsolete snapshot')
    return
  }
  state.sink.info(`installed snapshot on server ${state.nameOf(from)} up to ${lastTerm}:${lastIndex}`)
  server.nextIndex = log.start
  sendAppendRequest(state, server, log.end - server.nextIndex, 'snapshot installed')
}

/** Whether a snapshot may be taken now: a leader of others leaves that to them, as it takes long. */
export function maySnapshot(state: State): boolean {
  if (state.joining || state.leaving || state.over) return false
  if (state.role !== 'follower' && state.servers.size > 1) return false
  return state.lastApplied >= state.log.start
}

/** Puts the database as it is now in the place of all that was applied. @returns whether that was possible */
export function takeSnapshot(state: State, content: { readonly data: Json }): boolean {
  const { log, lastApplied: index, electionTimer } = state
  if (state.joining || state.leaving || state.over || index < log.start) return false
  const snapshot: Entry = {
    term: log.term(index),
    eid: log.eid(index),
    servers: log.servers(index),
    electionTimer,
    get data() {
      return content.data
    },
  }
  const records: RaftRecord[] = log
    .slice(index + 1)
    .map((entry, i) => ({ type: 'entry', index: index + 1 + i, entry }))
  records.push(state.termRecord())
  if (state.commitIndex > index) records.push({ type: 'commit_index', commitIndex: state.commitIndex })
  if (!state.sink.replace(state.header(index, snapshot), records)) return false
  log.compact(index + 1, snapshot)
  state.allSynced()
  updateOwnMatchIndex(state)
  return true
}
