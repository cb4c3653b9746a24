/** An entry of the log that the servers of a cluster agree on (ovsdb(5), "Clustered Format"). */

import type { Json, JsonObject } from '../ovsdb/json-text.ts'
import { Members } from '../ovsdb/members.ts'
import { type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import {
  optionalCount,
  optionalData,
  optionalServers,
  requiredCount,
  requiredUuid,
  serversJson,
} from './members.ts'

/** Addresses by the ids of servers. */
export type Servers = ReadonlyMap<Uuid, string>

export interface Entry {
  /** Of the leader that made it. */
  readonly term: number
  /** A transaction, if it is one. */
  readonly data: Json | undefined
  /** Names the transaction; zero where there is none. */
  readonly eid: Uuid
  /** The servers of the cluster from here on. */
  readonly servers: Servers | undefined
  /** Ms of silence after which followers may want another leader, from here on. */
  readonly electionTimer: number | undefined
}

/** What has no data: the first entry of each leader. */
export function blankEntry(term: number): Entry {
  return { term, data: undefined, eid: ZERO_UUID, servers: undefined, electionTimer: undefined }
}

/** As it stands in messages, and with its index in records. */
export function entryJson(entry: Entry): JsonObject {
  const { term, data, eid, servers, electionTimer } = entry
  return {
    term,
    ...(data === undefined ? {} : { data, eid }),
    ...(servers === undefined ? {} : { servers: serversJson(servers) }),
    ...(electionTimer === undefined ? {} : { election_timer: electionTimer }),
  }
}

/** @throws OvsdbError */
export function parseEntry(json: Json): Entry {
  const members = new Members(json, 'raft log entry')
  const entry = readEntry(members, requiredCount(members, 'term'))
  members.finish()
  return entry
}

/** What follows the term. */
export function readEntry(members: Members, term: number): Entry {
  const data = optionalData(members, 'data')
  const servers = optionalServers(members, 'servers')
  // Zero says the same as none at all.
  const electionTimer = optionalCount(members, 'election_timer') || undefined
  return {
    term,
    data,
    eid: data === undefined ? ZERO_UUID : requiredUuid(members, 'eid'),
    servers,
    electionTimer,
  }
}
