/** Transactions on their way into the log: of this server, or of a follower that has asked the leader. */

import { randomUuid, type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import type { Crash } from './failure-test.ts'
import { sendAppendRequest } from './replication.ts'
import type { CommandStatus, Rpc } from './rpc.ts'
import type { Command, Proposal, State } from './state.ts'

export type Done = Command['done']

/** Ends the process here, if an administrator wants to see that. */
export function crashPoint(state: State, crash: Crash): void {
  if (state.failureTest === crash) state.sink.crash(`Raft test: ${crash}.`)
}

/**
 * Has a transaction appended behind the one that `prereq` names, by the leader, whoever that is.
 * @param done told once what became of it. After "timeout" and "lost leadership" it may still be applied
 * @returns its id
 */
export function execute(state: State, data: NonNullable<Proposal['data']>, prereq: Uuid, done: Done): Uuid {
  const eid = randomUuid(state.random)
  const status = begin(state, { data, eid, prereq, done })
  if (status !== undefined) done(status)
  return eid
}

interface Beginning {
  readonly data: NonNullable<Proposal['data']>
  readonly eid: Uuid
  readonly prereq: Uuid
  readonly done: Done
}

function begin(state: State, { data, eid, prereq, done }: Beginning): CommandStatus | undefined {
  if (state.joining || state.leaving || state.over) return 'server shutdown'
  if (state.role === 'leader') {
    if (prereq !== state.log.eid()) return 'prerequisite check failed'
    return initiate(state, { data }, eid, ZERO_UUID, done)
  }
  if (state.role !== 'follower' || state.leader === ZERO_UUID) return 'not leader'
  crashPoint(state, 'crash-before-sending-execute-command-request')
  const request: Rpc = { method: 'execute_command_request', data, prereq, result: eid }
  if (!state.send(state.leader, request)) return 'not leader'
  crashPoint(state, 'crash-after-sending-execute-command-request')
  state.commands.set(eid, { eid, index: 0, heard: state.now, committed: 0, from: ZERO_UUID, done })
  return undefined
}

/** Appends an entry that is no transaction. Only of a leader. */
export function appendOther(state: State, proposal: Proposal): void {
  initiate(state, proposal, ZERO_UUID, ZERO_UUID, () => {})
}

function initiate(
  state: State,
  { data, servers, electionTimer }: Proposal,
  eid: Uuid,
  from: Uuid,
  done: Done,
): CommandStatus | undefined {
  const index = state.log.end
  if (!state.writeEntry({ term: state.term, data, eid, servers, electionTimer })) return 'I/O error'
  if (data !== undefined) {
    state.commands.set(eid, { eid, index, heard: state.now, committed: 0, from, done })
  }
  crashPoint(state, 'crash-before-sending-append-request')
  for (const peer of state.peers) {
    if (peer.nextIndex !== index) continue
    sendAppendRequest(state, peer, 1, 'execute command')
    peer.nextIndex++
  }
  crashPoint(state, 'crash-after-sending-append-request')
  if (state.failureTest === 'transfer-leadership-after-sending-append-request') {
    state.failureTest = 'transfer-leadership'
  }
  state.resetPingTimer()
  return undefined
}

export function handleExecuteCommandRequest(
  state: State,
  from: Uuid,
  { data, prereq, result }: Rpc<'execute_command_request'>,
): void {
  const status =
    state.role !== 'leader'
      ? 'not leader'
      : prereq !== state.log.eid()
        ? 'prerequisite check failed'
        : initiate(state, { data }, result, from, () => {})
  if (status !== undefined) sendReply(state, from, result, status, 0)
}

export function handleExecuteCommandReply(
  state: State,
  { result, status, commitIndex }: Rpc<'execute_command_reply'>,
): void {
  const command = state.commands.get(result)
  if (command === undefined || command.from !== ZERO_UUID) return
  command.heard = state.now
  if (status === 'operation still in progress') return
  // It is a success for who asked when it can be seen here.
  if (status === 'success') {
    command.committed = commitIndex
    if (commitIndex <= state.lastApplied) complete(state, command, 'success')
  } else complete(state, command, status)
}

/** An entry, or all up to the index if it is none, was applied. */
export function applied(state: State, eid: Uuid | undefined, index: number): void {
  if (eid !== undefined) {
    const command = state.commands.get(eid)
    if (command !== undefined) complete(state, command, 'success', index)
    return
  }
  for (const command of [...state.commands.values()]) {
    if (command.committed > 0 && command.committed <= index) complete(state, command, 'success', index)
  }
}

/** Those of which nothing was heard for long are given up. */
export function expire(state: State): void {
  for (const command of [...state.commands.values()]) {
    if (command.committed > 0 || state.now - command.heard <= 2 * state.electionTimer) continue
    complete(state, command, command.index > 0 && state.role !== 'leader' ? 'lost leadership' : 'timeout')
  }
}

export function completeAll(state: State, status: CommandStatus): void {
  for (const command of [...state.commands.values()]) complete(state, command, status)
}

/** Tells followers that wait that their transactions are not forgotten. */
export function reassure(state: State): void {
  for (const { from, eid } of state.commands.values()) {
    if (from !== ZERO_UUID) sendReply(state, from, eid, 'operation still in progress', 0)
  }
}

function complete(state: State, command: Command, status: CommandStatus, index = 0): void {
  state.commands.delete(command.eid)
  // A leader no more need not tell: its follower sees the entry as well.
  if (command.from !== ZERO_UUID && (state.role === 'leader' || status !== 'success')) {
    sendReply(state, command.from, command.eid, status, index)
  }
  command.done(status)
}

function sendReply(state: State, to: Uuid, result: Uuid, status: CommandStatus, commitIndex: number): void {
  crashPoint(state, 'crash-before-sending-execute-command-reply')
  state.send(to, { method: 'execute_command_reply', result, status, commitIndex })
  crashPoint(state, 'crash-after-sending-execute-command-reply')
}
