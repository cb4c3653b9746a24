import { rmSync } from 'node:fs'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import type { RowChange } from '../../../protocols/ovsdb/row.ts'
import { OPEN_VSWITCH } from '../../../protocols/ovsdb/schemas/open-vswitch.ts'
import { OvsdbClient } from '../../../src/ovsdb/client.ts'
import { remoteAt, remoteWithin } from '../../../src/ovsdb/remote.ts'
import { Replica, type ReplicaOptions } from '../../../src/ovsdb/replica.ts'
import { RpcPeer } from '../../../src/ovsdb/rpc-peer.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'
import { until } from '../../support/until.ts'

const dir = new OvsdbDirectory()
const clients: OvsdbClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
afterAll(() => dir.remove())

function replicaOf(remotes: readonly string[], options: Partial<ReplicaOptions> = {}) {
  const client = new OvsdbClient({ remotes: remotes.map((r) => remoteAt(r, undefined)!), clock: realClock })
  clients.push(client)
  const batches: (readonly RowChange[])[] = []
  const replica = new Replica(client, {
    database: 'Open_vSwitch',
    changed: (c) => batches.push(c),
    ...options,
  })
  client.start()
  return { client, replica, batches }
}

const bridge = (name: string): Json[] => [
  { op: 'insert', table: 'Bridge', 'uuid-name': 'b', row: { name } },
  { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'insert', ['named-uuid', 'b']]] },
]
const names = (replica: Replica) =>
  replica
    .snapshot!.tables.get('Bridge')!
    .rows.values()
    .map(({ columns }) => columns.name.keys[0])

describe('of the real ovsdb-server', () => {
  test('a replica is as the database is, and knows of a transaction before its reply', async () => {
    const file = dir.create('one.db')
    dir.transact(file, 'Open_vSwitch', { op: 'insert', table: 'Open_vSwitch', row: {} })
    const server = await dir.serve('one', [file])
    const { replica, batches } = replicaOf([server.remote])
    const results = await replica.transact(bridge('br0'))
    expect(results).toEqual([{ uuid: ['uuid', expect.any(String)] }, { count: 1 }])
    expect(names(replica)).toEqual(['br0'])
    expect(batches.map((b) => b.map(({ table }) => table).sort())).toEqual([
      ['Open_vSwitch'],
      ['Bridge', 'Open_vSwitch'],
    ])
    const ids = [
      'map',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ]
    await replica.transact([{ op: 'update', table: 'Bridge', where: [], row: { external_ids: ids } }])
    await replica.transact([
      { op: 'mutate', table: 'Bridge', where: [], mutations: [['external_ids', 'delete', ['set', ['a']]]] },
    ])
    const [row] = replica.snapshot!.tables.get('Bridge')!.rows.values()
    expect(row.columns.external_ids).toEqual({ keys: ['b'], values: ['2'] })
    await replica.transact([
      { op: 'update', table: 'Open_vSwitch', where: [], row: { bridges: ['set', []] } },
    ])
    expect(names(replica)).toEqual([])
  })

  test('after a restart of the server only what is different is told', async () => {
    const file = dir.create('two.db')
    dir.transact(file, 'Open_vSwitch', { op: 'insert', table: 'Open_vSwitch', row: {} }, ...bridge('br0'))
    let server = await dir.serve('two', [file])
    const { replica, batches } = replicaOf([server.remote], { tables: { Bridge: ['name'], Port: undefined } })
    await until(() => replica.live, 'the replica is live')
    await server.stop()
    await until(() => !replica.live, 'the replica has lost its server')
    rmSync(dir.file('two'))
    expect(names(replica)).toEqual(['br0'])
    dir.transact(file, 'Open_vSwitch', ...bridge('br1'))
    server = await dir.serve('two', [file])
    await until(() => replica.live, 'the replica is live')
    expect(
      batches.map((b) => b.map(({ before, after }) => [before?.columns.name, after?.columns.name])),
    ).toEqual([[[undefined, { keys: ['br0'] }]], [[undefined, { keys: ['br1'] }]]])
  })

  test('of a cluster it stays with the leader, and goes on from where it was', async () => {
    // Of this process, and none that the machine gives to those who ask for any.
    const first = 20_000 + (process.pid % 4000) * 3
    const raft = [0, 1, 2].map((i) => `tcp:127.0.0.1:${first + i}`)
    const files = raft.map((_, i) => dir.file(`c${i}.db`))
    dir.run('ovsdb-tool', 'create-cluster', files[0], '/usr/share/openvswitch/vswitch.ovsschema', raft[0])
    for (const i of [1, 2]) dir.run('ovsdb-tool', 'join-cluster', files[i], 'Open_vSwitch', raft[i], raft[0])
    const servers = []
    for (const i of [0, 1, 2]) servers.push(await dir.serve(`c${i}`, [files[i]]))
    const remotes = servers.map(({ remote }) => remote)
    // The last first: it is no leader.
    const { replica, batches } = replicaOf([remotes[2], remotes[1], remotes[0]])
    await replica.transact([{ op: 'insert', table: 'Open_vSwitch', row: {} }, ...bridge('br0')])
    expect(names(replica)).toEqual(['br0'])
    const before = replica.snapshot!.tables.get('Bridge')!.rows
    await servers[0].stop()
    await until(() => !replica.live, 'the replica has lost the leader')
    await until(() => replica.live, 'the replica has found the new leader', 120_000)
    // The rows are those of before, which were not sent again.
    expect(replica.snapshot!.tables.get('Bridge')!.rows).toBe(before)
    expect(batches.at(-1)).toEqual([])
    await replica.transact(bridge('br1'))
    expect(names(replica).sort()).toEqual(['br0', 'br1'])
  })
})

test('of a server of old it is kept by "monitor"', async () => {
  const asked: string[] = []
  const uuid = '11111111-1111-1111-1111-111111111111'
  const server = remoteWithin((channel) => {
    const peer: RpcPeer = new RpcPeer(channel, realClock, 0, {
      request: ({ id, method, params }) => {
        asked.push(method)
        if (method === 'get_schema' && params[0] === 'Open_vSwitch')
          peer.reply(id, OPEN_VSWITCH as unknown as Json)
        else if (method === 'monitor') {
          peer.reply(id, { Bridge: { [uuid]: { new: { name: 'br0' } } } })
          peer.notify('update', [
            params[1],
            { Bridge: { [uuid]: { old: { name: 'br0' }, new: { name: 'br9' } } } },
          ])
        } else if (method === 'transact') {
          peer.notify('update', [['Open_vSwitch', 1], { Bridge: { [uuid]: { old: { name: 'br9' } } } }])
          peer.reply(id, [{ count: 1 }])
        } else peer.replyError(id, { error: method === 'get_schema' ? 'unknown database' : 'unknown method' })
      },
    })
  })
  const client = new OvsdbClient({ remotes: [server], clock: realClock })
  clients.push(client)
  const changes: RowChange[] = []
  const replica = new Replica(client, { database: 'Open_vSwitch', changed: (c) => changes.push(...c) })
  client.start()
  await until(() => replica.live, 'the replica is live')
  expect(names(replica)).toEqual(['br9'])
  await replica.transact([{ op: 'delete', table: 'Bridge', where: [] }])
  expect(names(replica)).toEqual([])
  expect(
    changes.map(({ before, after }) => [before?.columns.name.keys[0], after?.columns.name.keys[0]]),
  ).toEqual([
    [undefined, 'br0'],
    ['br0', 'br9'],
    ['br9', undefined],
  ])
  expect(asked).toEqual([
    'get_schema',
    'get_schema',
    'monitor_cond_since',
    'monitor_cond',
    'monitor',
    'transact',
  ])
})
