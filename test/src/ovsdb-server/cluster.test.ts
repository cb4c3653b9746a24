import { join } from 'node:path'
import { afterAll, afterEach, expect, test } from 'vitest'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { OvsdbClient } from '../../../src/ovsdb/client.ts'
import { remoteAt } from '../../../src/ovsdb/remote.ts'
import { Replica } from '../../../src/ovsdb/replica.ts'
import { ConnectionLost } from '../../../src/ovsdb/rpc-peer.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { OvsdbDirectory, type RealServer, VSWITCH_SCHEMA } from '../../support/ovsdb.ts'
import { until } from '../../support/until.ts'

const OURS = join(import.meta.dirname, '../../../bin/openvswitch/ovsdb-server')
const THEIRS = 'ovsdb-server'

const clients: OvsdbClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
const dir = new OvsdbDirectory()
afterAll(() => dir.remove())

const appctl = (ctl: string, ...args: string[]) =>
  dir.run('ovs-appctl', '-t', `${dir.file(ctl)}.ctl`, ...args)
const vsctl = (server: string, ...args: string[]) =>
  dir.run(
    'ovs-vsctl',
    '--no-leader-only',
    `--db=unix:${dir.file(server)}`,
    '--timeout=60',
    '--no-wait',
    ...args,
  )
const bridgesOf = (server: string) => vsctl(server, 'list-br').trim().split('\n')

function replicaOf(servers: readonly RealServer[], leaderOnly = true) {
  const remotes = servers.map(({ remote }) => remoteAt(remote, undefined)!)
  const client = new OvsdbClient({ remotes, clock: realClock, maxBackoff: 200 })
  clients.push(client)
  const replica = new Replica(client, { database: 'Open_vSwitch', leaderOnly, changed: () => {} })
  client.start()
  return replica
}

const bridge = (name: string): Json[] => [
  { op: 'insert', table: 'Bridge', 'uuid-name': 'b', row: { name } },
  { op: 'mutate', table: 'Open_vSwitch', where: [], mutations: [['bridges', 'insert', ['named-uuid', 'b']]] },
]

/** Adds bridges one after the other until it is told to stop; gives the names of those that were acknowledged. */
function addBridges(replica: Replica) {
  const acknowledged: string[] = []
  let stopped = false
  const add = async () => {
    for (let i = 0; !stopped; i++) {
      const name = `n${i}`
      try {
        const results = await replica.transact(bridge(name))
        if (!results.some((result) => 'error' in (result as object))) acknowledged.push(name)
      } catch (error) {
        // Nobody knows what has become of it.
        if (!(error instanceof ConnectionLost)) throw error
      }
    }
  }
  const done = add()
  return {
    acknowledged,
    stop: async () => {
      stopped = true
      await done
      return acknowledged
    },
  }
}

const statusOf = (server: string) => appctl(server, 'cluster/status', 'Open_vSwitch')
/** What a status tells of, whatever differs from server to server. */
const form = (status: string) => [...status.matchAll(/^[A-Za-z ]+:/gm)].map(([label]) => label)

test('a cluster of ours and one of the original loses no acknowledged transaction, whose leader ever is killed', async () => {
  const programs = [THEIRS, OURS, OURS]
  const servers = ['c0', 'c1', 'c2']
  const raft = servers.map((server) => `unix:${dir.file(server)}.raft`)
  const files = servers.map((server) => dir.file(`${server}.db`))
  dir.run('ovsdb-tool', 'create-cluster', files[0], VSWITCH_SCHEMA, raft[0])
  for (const i of [1, 2]) dir.run('ovsdb-tool', 'join-cluster', files[i], 'Open_vSwitch', raft[i], raft[0])
  const start = async (i: number) => {
    const server = await dir.serveBy(programs[i], servers[i], [files[i]])
    dir.run('ovsdb-client', '--timeout=60', 'wait', server.remote, 'Open_vSwitch', 'connected')
    return server
  }
  const running: RealServer[] = []
  for (const i of [0, 1, 2]) running.push(await start(i))

  // Whoever is asked, the leader carries it out, and all know of it.
  vsctl(servers[2], 'init')
  for (const server of servers) vsctl(server, 'add-br', server)
  for (const server of servers) await until(() => bridgesOf(server).length === 3, `${server} knows all`)
  vsctl(servers[0], 'set', 'bridge', servers[2], 'fail_mode=secure')
  const reader = replicaOf([running[0], running[1]], false)
  await until(() => reader.live, 'the reader reads of the first')
  const known = reader.snapshot!.tables.get('Bridge')!.rows

  const adding = addBridges(replicaOf(running))
  for (const killed of ['the original', 'ours']) {
    const more = adding.acknowledged.length + 10
    await until(() => adding.acknowledged.length >= more, 'some are added')
    let leader = -1
    await until(() => {
      leader = servers.findIndex((server) => statusOf(server).includes('Role: leader'))
      return leader >= 0
    }, 'there is a leader')
    expect(programs[leader]).toBe(killed === 'ours' ? OURS : THEIRS)
    await running[leader].stop()
    const others = adding.acknowledged.length + 10
    await until(() => adding.acknowledged.length >= others, 'others are added under a new leader', 60_000)
    running[leader] = await start(leader)
  }
  const acknowledged = await adding.stop()
  // By the id of the last transaction, which is the same at another server: what it knew was not sent again.
  await until(() => reader.live, 'the reader goes on')
  const { rows } = reader.snapshot!.tables.get('Bridge')!
  for (const row of known.values()) expect(rows.get(row.uuid)).toBe(row)

  const all = bridgesOf(servers[1])
  expect(all).toEqual(expect.arrayContaining([...servers, ...acknowledged]))
  for (const server of servers) {
    await until(() => bridgesOf(server).length === all.length, `${server} knows all`)
    expect(bridgesOf(server)).toEqual(all)
  }
  const followers = servers.filter((server) => !statusOf(server).includes('Role: leader'))
  const [first, second] = followers.map((server) => form(statusOf(server)))
  expect(first).toEqual(second)

  // A server that leaves is one no more, for good.
  appctl(servers[2], 'cluster/leave', 'Open_vSwitch')
  await until(() => appctl(servers[2], 'ovsdb-server/list-dbs') === '_Server\n', 'it has left')
  for (const server of servers) appctl(server, 'exit')
  for (const server of running) await server.stop()
  dir.run('ovsdb-tool', 'check-cluster', ...files)
  for (const file of files) expect(dir.run('ovsdb-tool', 'show-log', file)).toContain('eid:')
  expect(() => dir.run(OURS, files[2], '--unixctl=none')).toThrow(/indicates server has left the cluster/)
})
