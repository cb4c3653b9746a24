import type { Json } from '../../protocols/ovsdb/json-text.ts'
import { type Uuid, ZERO_UUID } from '../../protocols/ovsdb/uuid.ts'
import type { State } from '../../protocols/raft/state.ts'

/** How a database is served, as `_Server` tells it (ovsdb-server(5)). */
export interface ServiceStatus {
  readonly model: 'standalone' | 'relay' | 'clustered'
  /** Whether it is up to date and may be written to. */
  readonly connected: boolean
  readonly leader: boolean
  /** Of the cluster, of the server in it, and of the last transaction. */
  readonly cid?: Json
  readonly sid?: Json
  readonly index?: Json
}

export const STANDALONE: ServiceStatus = { model: 'standalone', connected: true, leader: true }

/** Of the database of a cluster. */
export function serviceStatus(state: Readonly<State>): ServiceStatus {
  const { cid, sid, role, lastApplied, joining, leaving, over, candidateRetrying, everHadLeader } = state
  return {
    model: 'clustered',
    // The first election of a server may well be over soon.
    connected: everHadLeader && !candidateRetrying && !joining && !leaving && !over,
    leader: role === 'leader',
    cid: optionalUuid(cid),
    sid: optionalUuid(sid),
    index: lastApplied === 0 ? NONE : lastApplied,
  }
}

const NONE: Json = ['set', []]

function optionalUuid(id: Uuid): Json {
  return id === ZERO_UUID ? NONE : ['uuid', id]
}
