/**
 * What the servers of a cluster say to each other: notifications of JSON-RPC with one object each (the protocol that
 * `ovsdb-server` speaks at the addresses of its cluster).
 */

import type { Json, JsonObject } from '../ovsdb/json-text.ts'
import { Members } from '../ovsdb/members.ts'
import { type Uuid, ZERO_UUID } from '../ovsdb/uuid.ts'
import { type Entry, entryJson, parseEntry, type Servers } from './entry.ts'
import {
  optionalAddresses,
  optionalCount,
  optionalData,
  optionalUuid,
  requiredCount,
  requiredServerId,
  requiredServers,
  requiredUuid,
  serversJson,
} from './members.ts'

/** What became of a transaction, in words. */
export const COMMAND_STATUSES = [
  'operation still in progress',
  'success',
  'not leader',
  'prerequisite check failed',
  'lost leadership',
  'server shutdown',
  'I/O error',
  'timeout',
] as const
export type CommandStatus = (typeof COMMAND_STATUSES)[number]

export const APPEND_RESULTS = ['OK', 'inconsistency', 'I/O error'] as const
export type AppendResult = (typeof APPEND_RESULTS)[number]

/** Each kind of message with what it carries. */
interface Contents {
  hello_request: { readonly address: string }
  append_request: {
    readonly term: number
    readonly prevLogIndex: number
    readonly prevLogTerm: number
    readonly leaderCommit: number
    /** Those from behind `prevLogIndex`; none in a heartbeat. */
    readonly log: readonly Entry[]
  }
  append_reply: {
    readonly term: number
    /** Behind the sender's last entry. */
    readonly logEnd: number
    /** These as in the request. */
    readonly prevLogIndex: number
    readonly prevLogTerm: number
    readonly nEntries: number
    readonly result: AppendResult
  }
  vote_request: {
    readonly term: number
    readonly lastLogIndex: number
    readonly lastLogTerm: number
    /** The leader wants it: to be heard although there is one. */
    readonly leadershipTransfer: boolean
  }
  vote_reply: { readonly term: number; readonly vote: Uuid }
  add_server_request: { readonly address: string }
  add_server_reply: { readonly success: boolean; readonly remoteAddresses: readonly string[] }
  remove_server_request: { readonly serverId: Uuid }
  /** `target` is zero where it is the receiver. */
  remove_server_reply: { readonly success: boolean; readonly target: Uuid }
  install_snapshot_request: {
    readonly term: number
    readonly lastIndex: number
    readonly lastTerm: number
    readonly lastServers: Servers
    readonly lastEid: Uuid
    readonly electionTimer: number
    readonly data: Json
  }
  install_snapshot_reply: {
    readonly term: number
    readonly lastIndex: number
    readonly lastTerm: number
  }
  become_leader: { readonly term: number }
  execute_command_request: { readonly data: Json; readonly prereq: Uuid; readonly result: Uuid }
  execute_command_reply: {
    readonly result: Uuid
    readonly status: CommandStatus
    /** 0: not committed. */
    readonly commitIndex: number
  }
}

export type RpcMethod = keyof Contents
/** One kind of message, or any. */
export type Rpc<M extends RpcMethod = RpcMethod> = {
  [K in M]: { readonly method: K; readonly comment?: string } & Contents[K]
}[M]

/** A message with where it comes from and where it is to go. */
export interface Envelope {
  /** Zero where the sender does not know it. */
  readonly cluster: Uuid
  /** Zero where the sender does not know. */
  readonly to: Uuid
  readonly from: Uuid
  readonly rpc: Rpc
}

/** The one parameter of the notification. */
export function rpcParameter({ cluster, to, from, rpc }: Envelope): JsonObject {
  return {
    ...(cluster === ZERO_UUID ? {} : { cluster }),
    ...(to === ZERO_UUID ? {} : { to }),
    from,
    ...(rpc.comment === undefined ? {} : { comment: rpc.comment }),
    ...contentsJson(rpc),
  }
}

function contentsJson(rpc: Rpc): JsonObject {
  switch (rpc.method) {
    case 'hello_request':
    case 'add_server_request':
      return { address: rpc.address }
    case 'append_request':
      return {
        term: rpc.term,
        prev_log_index: rpc.prevLogIndex,
        prev_log_term: rpc.prevLogTerm,
        leader_commit: rpc.leaderCommit,
        log: rpc.log.map(entryJson),
      }
    case 'append_reply':
      return {
        term: rpc.term,
        log_end: rpc.logEnd,
        prev_log_index: rpc.prevLogIndex,
        prev_log_term: rpc.prevLogTerm,
        n_entries: rpc.nEntries,
        result: rpc.result,
      }
    case 'vote_request':
      return {
        term: rpc.term,
        last_log_index: rpc.lastLogIndex,
        last_log_term: rpc.lastLogTerm,
        ...(rpc.leadershipTransfer ? { leadership_transfer: true } : {}),
      }
    case 'vote_reply':
      return { term: rpc.term, vote: rpc.vote }
    case 'add_server_reply':
      return {
        success: rpc.success,
        ...(rpc.remoteAddresses.length === 0 ? {} : { remote_addresses: rpc.remoteAddresses }),
      }
    case 'remove_server_request':
      return { server_id: rpc.serverId }
    case 'remove_server_reply':
      return {
        ...(rpc.target === ZERO_UUID ? {} : { target_server: rpc.target }),
        success: rpc.success,
      }
    case 'install_snapshot_request':
      return {
        term: rpc.term,
        last_index: rpc.lastIndex,
        last_term: rpc.lastTerm,
        last_servers: serversJson(rpc.lastServers),
        last_eid: rpc.lastEid,
        election_timer: rpc.electionTimer,
        data: rpc.data,
      }
    case 'install_snapshot_reply':
      return { term: rpc.term, last_index: rpc.lastIndex, last_term: rpc.lastTerm }
    case 'become_leader':
      return { term: rpc.term }
    case 'execute_command_request':
      return { data: rpc.data, prereq: rpc.prereq, result: rpc.result }
    case 'execute_command_reply':
      return {
        result: rpc.result,
        status: rpc.status,
        ...(rpc.commitIndex === 0 ? {} : { commit_index: rpc.commitIndex }),
      }
  }
}

/** Undefined for a method that is none of the protocol. @throws OvsdbError for what is none of its messages */
export function parseRpc(method: string, parameter: Json): Envelope | undefined {
  if (!isRpcMethod(method)) return undefined
  const members = new Members(parameter, `raft ${method} RPC`)
  const isAdd = method === 'add_server_request'
  // Who is not in the cluster yet need not know whom it speaks to.
  const cluster = isAdd ? (optionalUuid(members, 'cluster') ?? ZERO_UUID) : requiredUuid(members, 'cluster')
  const mayOmitTo = isAdd || method === 'hello_request'
  const to = mayOmitTo ? (optionalUuid(members, 'to') ?? ZERO_UUID) : requiredUuid(members, 'to')
  const from = requiredServerId(members, 'from')
  const comment = members.optional('comment', 'string')
  const contents: Contents[RpcMethod] = PARSERS[method](members)
  members.finish()
  const rpc = { method, ...contents, ...(comment === undefined ? {} : { comment }) } as Rpc
  return { cluster, to, from, rpc }
}

function isRpcMethod(method: string): method is RpcMethod {
  return Object.hasOwn(PARSERS, method)
}

const readAddress = (members: Members) => ({ address: members.required('address', 'string') })

const PARSERS: { readonly [M in RpcMethod]: (members: Members) => Contents[M] } = {
  hello_request: readAddress,
  add_server_request: readAddress,
  append_request: (members) => ({
    term: requiredCount(members, 'term'),
    prevLogIndex: requiredCount(members, 'prev_log_index'),
    prevLogTerm: requiredCount(members, 'prev_log_term'),
    leaderCommit: requiredCount(members, 'leader_commit'),
    log: members.required('log', 'array').map(parseEntry),
  }),
  append_reply: (members) => ({
    term: requiredCount(members, 'term'),
    logEnd: requiredCount(members, 'log_end'),
    prevLogIndex: requiredCount(members, 'prev_log_index'),
    prevLogTerm: requiredCount(members, 'prev_log_term'),
    nEntries: requiredCount(members, 'n_entries'),
    result: oneOf(members, 'result', APPEND_RESULTS),
  }),
  vote_request: (members) => ({
    term: requiredCount(members, 'term'),
    lastLogIndex: requiredCount(members, 'last_log_index'),
    lastLogTerm: requiredCount(members, 'last_log_term'),
    leadershipTransfer: members.optional('leadership_transfer', 'boolean') ?? false,
  }),
  vote_reply: (members) => ({
    term: requiredCount(members, 'term'),
    vote: requiredUuid(members, 'vote'),
  }),
  add_server_reply: (members) => ({
    success: members.required('success', 'boolean'),
    remoteAddresses: optionalAddresses(members, 'remote_addresses') ?? [],
  }),
  remove_server_request: (members) => ({ serverId: requiredUuid(members, 'server_id') }),
  remove_server_reply: (members) => ({
    success: members.required('success', 'boolean'),
    target: optionalUuid(members, 'target_server') ?? ZERO_UUID,
  }),
  install_snapshot_request: (members) => ({
    lastServers: requiredServers(members, 'last_servers'),
    term: requiredCount(members, 'term'),
    lastIndex: requiredCount(members, 'last_index'),
    lastTerm: requiredCount(members, 'last_term'),
    lastEid: requiredUuid(members, 'last_eid'),
    electionTimer: requiredCount(members, 'election_timer'),
    data: requiredData(members),
  }),
  install_snapshot_reply: (members) => ({
    term: requiredCount(members, 'term'),
    lastIndex: requiredCount(members, 'last_index'),
    lastTerm: requiredCount(members, 'last_term'),
  }),
  become_leader: (members) => ({ term: requiredCount(members, 'term') }),
  execute_command_request: (members) => ({
    data: requiredData(members),
    prereq: requiredUuid(members, 'prereq'),
    result: requiredUuid(members, 'result'),
  }),
  execute_command_reply: (members) => ({
    result: requiredUuid(members, 'result'),
    status: oneOf(members, 'status', COMMAND_STATUSES),
    commitIndex: optionalCount(members, 'commit_index') ?? 0,
  }),
}

function requiredData(members: Members): Json {
  const data = optionalData(members, 'data')
  if (data === undefined) throw members.error("Required 'data' member is missing.")
  return data
}

function oneOf<T extends string>(members: Members, name: string, words: readonly T[]): T {
  const word = members.required(name, 'string') as T
  if (!words.includes(word)) throw members.error(`unknown ${name} "${word}"`)
  return word
}
