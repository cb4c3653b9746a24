/** The records of a clustered database's file: a header, and what has come to pass since (ovsdb(5), "Clustered Format"). */

import type { Json, JsonObject } from '../ovsdb/json-text.ts'
import { Members } from '../ovsdb/members.ts'
import { type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import { type Entry, entryJson, readEntry } from './entry.ts'
import {
  optionalAddresses,
  optionalCount,
  optionalData,
  optionalServerId,
  optionalUuid,
  requiredCount,
  requiredServerId,
  requiredServers,
  requiredUuid,
  serversJson,
} from './members.ts'

export interface RaftHeader {
  readonly sid: Uuid
  /** Of the cluster; zero: not known before somebody tells. */
  readonly cid: Uuid
  /** Of the database. */
  readonly name: string
  readonly localAddress: string
  readonly beginning: Member | Joining
}

/** The log begins behind a snapshot. */
export interface Member {
  readonly index: number
  readonly snapshot: Entry
}

/** The server is none of the cluster yet, and asks at these addresses to be. */
export interface Joining {
  readonly remoteAddresses: readonly string[]
}

export type RaftRecord = (
  | { readonly type: 'entry'; readonly index: number; readonly entry: Entry }
  | { readonly type: 'term'; readonly term: number }
  | { readonly type: 'vote'; readonly term: number; readonly vote: Uuid }
  | { readonly type: 'leader'; readonly term: number; readonly leader: Uuid }
  | { readonly type: 'commit_index'; readonly commitIndex: number }
  | { readonly type: 'note'; readonly note: string }
) & { readonly comment?: string }

export function isJoining(beginning: Member | Joining): beginning is Joining {
  return 'remoteAddresses' in beginning
}

export function headerJson({ sid, cid, name, localAddress, beginning }: RaftHeader): JsonObject {
  const common = {
    server_id: sid,
    ...(cid === ZERO_UUID ? {} : { cluster_id: cid }),
    local_address: localAddress,
    name,
  }
  if (isJoining(beginning)) return { ...common, remote_addresses: beginning.remoteAddresses }
  const { index, snapshot } = beginning
  const { term, data, eid, servers, electionTimer } = snapshot
  return {
    ...common,
    prev_servers: serversJson(servers!),
    prev_index: index,
    prev_term: term,
    ...(data === undefined ? {} : { prev_data: data }),
    prev_eid: eid,
    ...(electionTimer === undefined ? {} : { prev_election_timer: electionTimer }),
  }
}

/** @throws OvsdbError */
export function parseHeader(json: Json): RaftHeader {
  const members = new Members(json, 'raft header')
  const sid = requiredServerId(members, 'server_id')
  const name = members.required('name', 'string')
  const localAddress = members.required('local_address', 'string')
  const beginning = readJoining(members, localAddress) ?? readMember(members)
  const cid = isJoining(beginning)
    ? (optionalUuid(members, 'cluster_id') ?? ZERO_UUID)
    : requiredServerId(members, 'cluster_id')
  members.finish()
  return { sid, cid, name, localAddress, beginning }
}

function readJoining(members: Members, localAddress: string): Joining | undefined {
  const remoteAddresses = optionalAddresses(members, 'remote_addresses')?.filter(
    (each) => each !== localAddress,
  )
  if (remoteAddresses === undefined) return undefined
  if (remoteAddresses.length > 0) return { remoteAddresses }
  throw members.error('at least one remote address (other than the local address) is required')
}

function readMember(members: Members): Member {
  const servers = requiredServers(members, 'prev_servers')
  const index = requiredCount(members, 'prev_index')
  const data = optionalData(members, 'prev_data')
  const eid = requiredUuid(members, 'prev_eid')
  const term = requiredCount(members, 'prev_term')
  const electionTimer = optionalCount(members, 'prev_election_timer') || undefined
  return { index, snapshot: { term, data, eid, servers, electionTimer } }
}

export function recordJson(record: RaftRecord): JsonObject {
  const { comment } = record
  return comment === undefined || comment === '' ? membersOf(record) : { comment, ...membersOf(record) }
}

function membersOf(record: RaftRecord): JsonObject {
  switch (record.type) {
    case 'entry': {
      const { term, ...rest } = entryJson(record.entry)
      return { term, index: record.index, ...rest }
    }
    case 'term':
      return { term: record.term }
    case 'vote':
      return { term: record.term, vote: record.vote }
    case 'leader':
      return { term: record.term, leader: record.leader }
    case 'commit_index':
      return { commit_index: record.commitIndex }
    case 'note':
      return { note: record.note }
  }
}

/** @throws OvsdbError */
export function parseRecord(json: Json): RaftRecord {
  const members = new Members(json, 'raft log record')
  const comment = members.optional('comment', 'string')
  const record = readRecord(members)
  members.finish()
  return comment === undefined ? record : { ...record, comment }
}

function readRecord(members: Members): RaftRecord {
  const note = members.optional('note', 'string')
  if (note !== undefined) return { type: 'note', note }
  const commitIndex = optionalCount(members, 'commit_index')
  if (commitIndex !== undefined) return { type: 'commit_index', commitIndex }
  const term = requiredCount(members, 'term')
  const leader = optionalServerId(members, 'leader')
  if (leader !== undefined) return { type: 'leader', term, leader }
  const vote = optionalServerId(members, 'vote')
  if (vote !== undefined) return { type: 'vote', term, vote }
  const index = optionalCount(members, 'index')
  return index === undefined
    ? { type: 'term', term }
    : { type: 'entry', index, entry: readEntry(members, term) }
}
