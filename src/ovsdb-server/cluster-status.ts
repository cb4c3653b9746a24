/** What `cluster/status` says. */

import { type Uuid, ZERO_UUID } from '../../protocols/ovsdb/uuid.ts'
import { shortId } from '../../protocols/raft/address.ts'
import type { Server, State } from '../../protocols/raft/state.ts'
import type { Instant } from '../../protocols/time.ts'

/** @param connections for people */
export function clusterStatus(
  state: Readonly<State>,
  now: Instant,
  connections: readonly string[],
  disconnections: number,
): string {
  const { cid, sid, log, role, electionTimer, electionTimerNew } = state
  const ago = (at: Instant) => Math.floor(now - at)
  const lines = [
    state.nickname,
    `Name: ${state.name}`,
    `Cluster ID: ${cid === ZERO_UUID ? 'not yet known' : `${shortId(cid)} (${cid})`}`,
    `Server ID: ${shortId(sid)} (${sid})`,
    `Address: ${state.localAddress}`,
    `Status: ${membership(state)}`,
  ]
  if (state.joining)
    lines.push(`Remotes for joining:${[...state.remoteAddresses].map((a) => ` ${a}`).join('')}`)
  if (role === 'leader') {
    for (const server of state.addServers.values()) lines.push(`Adding server ${identify(state, server)}`)
    if (state.removeServer !== undefined) lines.push(`Removing server ${identify(state, state.removeServer)}`)
  }
  lines.push(
    `Role: ${role}`,
    `Term: ${state.term}`,
    `Leader: ${nameOf(state, state.leader)}`,
    `Vote: ${nameOf(state, state.vote)}`,
    '',
  )
  if (state.electionStart !== undefined) {
    const reason = state.leadershipTransfer ? 'leadership_transfer' : 'timeout'
    lines.push(`Last Election started ${ago(state.electionStart)} ms ago, reason: ${reason}`)
  }
  if (state.electionWon !== undefined) lines.push(`Last Election won: ${ago(state.electionWon)} ms ago`)
  const changing = role === 'leader' && electionTimerNew !== 0 ? ` (changing to ${electionTimerNew})` : ''
  lines.push(
    `Election timer: ${electionTimer}${changing}`,
    `Log: [${log.start}, ${log.end}]`,
    `Entries not yet committed: ${log.end - state.commitIndex - 1}`,
    `Entries not yet applied: ${log.end - state.lastApplied - 1}`,
    `Connections:${connections.map((each) => ` ${each}`).join('')}`,
    `Disconnections: ${disconnections}`,
    'Servers:',
  )
  for (const server of state.servers.values()) lines.push(`    ${describe(state, server, ago)}`)
  return `${lines.join('\n')}\n`
}

function membership({ joining, leaving, left, failed, candidateRetrying }: Readonly<State>): string {
  if (joining) return 'joining cluster'
  if (leaving) return 'leaving cluster'
  if (left) return 'left cluster'
  if (failed) return 'failed'
  return candidateRetrying ? 'disconnected from the cluster (election timeout)' : 'cluster member'
}

function nameOf(state: Readonly<State>, sid: Uuid): string {
  if (sid === ZERO_UUID) return 'unknown'
  return sid === state.sid ? 'self' : state.nameOf(sid)
}

function identify(state: Readonly<State>, { sid, address, phase }: Server): string {
  return `${state.nameOf(sid)} (${shortId(sid)} at ${address}) (${phase})`
}

function describe(state: Readonly<State>, server: Server, ago: (at: Instant) => number): string {
  const { sid, address, phase, vote, nextIndex, matchIndex, lastMessage } = server
  const parts = [`${state.nameOf(sid)} (${shortId(sid)} at ${address})`]
  if (sid === state.sid) parts.push('(self)')
  if (phase !== 'stable') parts.push(`(${phase})`)
  if (state.role === 'candidate' && vote !== ZERO_UUID) parts.push(`(voted for ${state.nameOf(vote)})`)
  if (state.role === 'leader') parts.push(`next_index=${nextIndex} match_index=${matchIndex}`)
  if (lastMessage !== undefined) parts.push(`last msg ${ago(lastMessage)} ms ago`)
  return parts.join(' ')
}
