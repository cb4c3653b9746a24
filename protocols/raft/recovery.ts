/** What a server remembers: its file, read from the beginning. */

import { OvsdbError } from '../ovsdb/error.ts'
import { ZERO_UUID } from '../ovsdb/uuid.ts'
import { isJoining, type RaftHeader, type RaftRecord } from './record.ts'
import type { State } from './state.ts'

/** @throws OvsdbError when they cannot follow each other */
export function readRecords(state: State, { beginning }: RaftHeader, records: Iterable<RaftRecord>): void {
  if (isJoining(beginning)) {
    state.joining = true
    for (const address of beginning.remoteAddresses) state.remoteAddresses.add(address)
  } else {
    const { index, snapshot } = beginning
    state.log.reset(index + 1, snapshot)
    state.commitIndex = index
    state.lastApplied = index - 1
  }
  let number = 0
  for (const record of records) {
    const wrong = readRecord(state, record)
    number++
    if (wrong === undefined) continue
    throw new OvsdbError('ovsdb error', `error reading record ${number} from ${state.name} log: ${wrong}`)
  }
  state.syncedTerm = state.term
  state.syncedVote = state.vote
  state.logSynced = state.log.last
  state.readServers()
  state.readElectionTimer()
  // A removal that is not agreed upon yet may come to nothing.
  const member = state.servers.has(state.sid) || state.log.servers(state.commitIndex).has(state.sid)
  if (!state.joining && !member) joinAgain(state)
}

/** A server that has ended when it had what the others have, and was not one of them yet, asks them once more. */
function joinAgain(state: State): void {
  const { log, sid } = state
  const past = [log.snapshot, ...log.slice(log.start)]
  if (past.some(({ servers }) => servers?.has(sid))) {
    throw new OvsdbError('ovsdb error', 'server does not belong to cluster')
  }
  state.joining = true
  for (const { address } of state.servers.values()) state.remoteAddresses.add(address)
}

/** Why it cannot be. */
function readRecord(state: State, record: RaftRecord): string | undefined {
  const { log } = state
  const term = record.type === 'entry' ? record.entry.term : 'term' in record ? record.term : 0
  // An entry may be of an earlier term than that in which it came.
  if (term > state.term) {
    state.term = term
    state.vote = ZERO_UUID
  }
  switch (record.type) {
    case 'entry': {
      const { index, entry } = record
      if (index <= state.commitIndex) {
        return `attempts to truncate log from ${log.end} to ${index} entries, but commit index is already ${state.commitIndex}`
      }
      if (index > log.end) return `index ${index} skips past expected index ${log.end}`
      log.truncate(index)
      if (entry.term < log.lastTerm) {
        return `index ${index} term ${entry.term} precedes previous entry's term ${log.lastTerm}`
      }
      log.push(entry)
      return undefined
    }
    case 'vote':
      if (record.term < state.term) {
        return `votes for term ${record.term} but current term is ${state.term}`
      }
      if (state.vote !== ZERO_UUID && state.vote !== record.vote) {
        return `votes for ${record.vote} in term ${record.term} but a previous record for the same term voted for ${state.vote}`
      }
      state.vote = record.vote
      return undefined
    case 'note':
      return record.note === 'left'
        ? 'indicates server has left the cluster; it cannot be added back (use "ovsdb-tool join-cluster" to add a new server)'
        : undefined
    case 'commit_index':
      if (record.commitIndex < state.commitIndex) {
        return `regresses commit index from ${state.commitIndex} to ${record.commitIndex}`
      }
      if (record.commitIndex >= log.end) {
        return `advances commit index to ${record.commitIndex} but last log index is ${log.last}`
      }
      state.commitIndex = record.commitIndex
      return undefined
    case 'term':
    case 'leader':
      return undefined
  }
}
