import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OvsdbError } from '../../../protocols/ovsdb/error.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { type Uuid, ZERO_UUID } from '../../../protocols/ovsdb/uuid.ts'
import { isServerAddress, nickname } from '../../../protocols/raft/address.ts'
import type { Entry } from '../../../protocols/raft/entry.ts'
import {
  headerJson,
  parseHeader,
  parseRecord,
  type RaftHeader,
  type RaftRecord,
  recordJson,
} from '../../../protocols/raft/record.ts'
import {
  APPEND_RESULTS,
  COMMAND_STATUSES,
  type Envelope,
  parseRpc,
  type Rpc,
  type RpcMethod,
  rpcParameter,
} from '../../../protocols/raft/rpc.ts'

const uuid: fc.Arbitrary<Uuid> = fc.uuid({ version: 4 })
const count = fc.nat()
const positive = fc.integer({ min: 1 })
const data: fc.Arbitrary<Json> = fc.constantFrom<Json>([null, { T: {} }], [], {}, [{ name: 'x' }, null])
const address = fc.constantFrom('tcp:10.0.0.1:6644', 'ssl:[::1]:1', 'unix:/tmp/s1.raft')
const servers = fc.dictionary(uuid, address, { minKeys: 1 }).map((each) => new Map(Object.entries(each)))
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })

const entry: fc.Arbitrary<Entry> = fc
  .record({
    term: count,
    data: maybe(data),
    eid: uuid,
    servers: maybe(servers),
    electionTimer: maybe(positive),
  })
  .map((each) => (each.data === undefined ? { ...each, eid: ZERO_UUID } : each))

const comment = fc.option(fc.string({ minLength: 1 }), { nil: undefined })

function commented<T extends object>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc
    .tuple(arbitrary, comment)
    .map(([each, text]) => (text === undefined ? each : { ...each, comment: text }))
}

const record = commented(
  fc.oneof<fc.Arbitrary<RaftRecord>[]>(
    fc.record({ type: fc.constant('entry'), index: positive, entry }),
    fc.record({ type: fc.constant('term'), term: count }),
    fc.record({ type: fc.constant('vote'), term: count, vote: uuid }),
    fc.record({ type: fc.constant('leader'), term: count, leader: uuid }),
    fc.record({ type: fc.constant('commit_index'), commitIndex: positive }),
    fc.record({ type: fc.constant('note'), note: fc.constantFrom('left', 'transfer leadership') }),
  ),
)

const header: fc.Arbitrary<RaftHeader> = fc.record({
  sid: uuid,
  cid: uuid,
  name: fc.constant('Open_vSwitch'),
  localAddress: fc.constant('tcp:10.0.0.9:6644'),
  beginning: fc.oneof(
    fc.record({
      index: positive,
      snapshot: fc.record({
        term: count,
        data: maybe(data),
        eid: uuid,
        servers,
        electionTimer: maybe(positive),
      }),
    }),
    fc.record({ remoteAddresses: fc.uniqueArray(address, { minLength: 1 }) }),
  ),
})

const RPCS: { readonly [M in RpcMethod]: fc.Arbitrary<Rpc<M>> } = {
  hello_request: fc.record({ method: fc.constant('hello_request'), address }),
  append_request: fc.record({
    method: fc.constant('append_request'),
    term: count,
    prevLogIndex: count,
    prevLogTerm: count,
    leaderCommit: count,
    log: fc.array(entry),
  }),
  append_reply: fc.record({
    method: fc.constant('append_reply'),
    term: count,
    logEnd: count,
    prevLogIndex: count,
    prevLogTerm: count,
    nEntries: count,
    result: fc.constantFrom(...APPEND_RESULTS),
  }),
  vote_request: fc.record({
    method: fc.constant('vote_request'),
    term: count,
    lastLogIndex: count,
    lastLogTerm: count,
    leadershipTransfer: fc.boolean(),
  }),
  vote_reply: fc.record({ method: fc.constant('vote_reply'), term: count, vote: uuid }),
  add_server_request: fc.record({ method: fc.constant('add_server_request'), address }),
  add_server_reply: fc.record({
    method: fc.constant('add_server_reply'),
    success: fc.boolean(),
    remoteAddresses: fc.uniqueArray(address),
  }),
  remove_server_request: fc.record({ method: fc.constant('remove_server_request'), serverId: uuid }),
  remove_server_reply: fc.record({
    method: fc.constant('remove_server_reply'),
    success: fc.boolean(),
    target: fc.oneof(uuid, fc.constant(ZERO_UUID)),
  }),
  install_snapshot_request: fc.record({
    method: fc.constant('install_snapshot_request'),
    term: count,
    lastIndex: count,
    lastTerm: count,
    lastServers: servers,
    lastEid: uuid,
    electionTimer: count,
    data,
  }),
  install_snapshot_reply: fc.record({
    method: fc.constant('install_snapshot_reply'),
    term: count,
    lastIndex: count,
    lastTerm: count,
  }),
  become_leader: fc.record({ method: fc.constant('become_leader'), term: count }),
  execute_command_request: fc.record({
    method: fc.constant('execute_command_request'),
    data,
    prereq: uuid,
    result: uuid,
  }),
  execute_command_reply: fc.record({
    method: fc.constant('execute_command_reply'),
    result: uuid,
    status: fc.constantFrom(...COMMAND_STATUSES),
    commitIndex: count,
  }),
}

const envelope: fc.Arbitrary<Envelope> = fc.record({
  cluster: uuid,
  to: uuid,
  from: uuid,
  rpc: commented(fc.oneof(...(Object.values(RPCS) as fc.Arbitrary<Rpc>[]))),
})

const overTheWire = (json: Json): Json => JSON.parse(JSON.stringify(json))

test('headers and records are what they were', () => {
  const same = <T>(arbitrary: fc.Arbitrary<T>, there: (value: T) => Json, back: (json: Json) => T) => {
    fc.assert(
      fc.property(arbitrary, (each) => {
        expect(back(overTheWire(there(each)))).toEqual(each)
      }),
    )
  }
  same(header, headerJson, parseHeader)
  same(record, recordJson, parseRecord)
})

test('so are messages', () => {
  fc.assert(
    fc.property(envelope, (each) => {
      expect(parseRpc(each.rpc.method, overTheWire(rpcParameter(each)))).toEqual(each)
    }),
    { numRuns: 500 },
  )
})

test('whatever else comes is refused, and nothing worse', () => {
  const broken = fc
    .tuple(envelope, fc.nat(20), fc.oneof(fc.jsonValue(), fc.constant(2 ** 60)))
    .map(([each, which, instead]) => {
      const members = Object.entries(rpcParameter(each))
      members[which % members.length][1] = instead as Json
      return [each.rpc.method, Object.fromEntries(members)] as const
    })
  let refused = 0
  fc.assert(
    fc.property(broken, ([method, parameter]) => {
      try {
        parseRpc(method, parameter)
      } catch (error) {
        expect(error).toBeInstanceOf(OvsdbError)
        refused++
      }
    }),
    { numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(250)
  expect(parseRpc('toString', {})).toBeUndefined()
})

test('addresses', () => {
  for (const good of ['tcp:1.2.3.4:5', 'ssl:[fe80::1]:6644', 'tcp:host.example:1', 'unix:s1.raft']) {
    expect(isServerAddress(good)).toBe(true)
  }
  for (const bad of [
    'tcp:1.2.3.4',
    'ptcp:6644:1.2.3.4',
    'unix:',
    'tcp::1',
    'tcp:1.2.3.4:70000',
    'tcp:::1:2',
    '',
  ]) {
    expect(isServerAddress(bad)).toBe(false)
  }
  const sid = 'abcd0123-0000-4000-8000-000000000000'
  expect(nickname('unix:/tmp/s1.raft', sid)).toBe('s1')
  expect(nickname('unix:s2.raft', sid)).toBe('s2')
  expect(nickname('tcp:1.2.3.4:5', sid)).toBe('abcd')
})
