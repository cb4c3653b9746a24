/** What is measured of a database server. Each part leaves the database as large as it found it, or says so. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Json } from '../../protocols/ovsdb/json-text.ts'
import type { Figures } from '../support/figures.ts'
import { Client } from './client.ts'
import type { Peer } from './peers.ts'

const REQUESTS_AT_ONCE = 32

async function timed(work: () => Promise<void> | void): Promise<number> {
  const before = performance.now()
  await work()
  return (performance.now() - before) / 1000
}

/** A root row with one bridge: what ovs-vsctl needs to add ports. */
export async function prepare({ socket }: Peer): Promise<void> {
  const client = await Client.open(socket)
  const row = { bridges: ['named-uuid', 'bridge'] }
  await client.pipeline(
    [
      Client.transaction(
        { op: 'insert', table: 'Open_vSwitch', row },
        { op: 'insert', table: 'Bridge', 'uuid-name': 'bridge', row: { name: 'br0' } },
      ),
    ],
    1,
  )
  client.close()
}

const setExternalId = (n: number, durable: boolean): string =>
  Client.transaction(
    {
      op: 'update',
      table: 'Bridge',
      where: [['name', '==', 'br0']],
      row: { external_ids: ['map', [['n', String(n)]]] },
    },
    ...(durable ? [{ op: 'commit', durable }] : []),
  )

/** Transactions that change one row, one after the other and many at once, durable and not, when it is warm. */
export async function smallTransactions(peer: Peer, n: number, figures: Figures): Promise<void> {
  const client = await Client.open(peer.socket)
  await client.pipeline(
    Array.from({ length: 3000 }, (_, i) => setExternalId(i, false)),
    1,
  )
  for (const durable of [false, true]) {
    for (const window of [1, REQUESTS_AT_ONCE]) {
      const count = durable ? Math.ceil(n / 20) : n
      const texts = Array.from({ length: count }, (_, i) => setExternalId(i, durable))
      const seconds = await timed(() => client.pipeline(texts, window))
      const how = window === 1 ? 'one after the other' : `${window} at a time`
      figures.add(peer.name, `${durable ? 'durable ' : ''}transactions, ${how}`, count / seconds, '1/s')
    }
  }
  client.close()
}

const portNames = (n: number, prefix: string) => Array.from({ length: n }, (_, i) => `${prefix}${i}`)

function vsctl({ socket }: Peer, ...args: string[]): void {
  execFileSync('ovs-vsctl', [`--db=unix:${socket}`, '--no-wait', ...args])
}

/** Ports added by ovs-vsctl: all in one command, then some more one by one; and taken away again. */
export async function ports(peer: Peer, n: number, figures: Figures): Promise<void> {
  const client = await Client.open(peer.socket)
  const inOne = await timed(() => client.wholeReply(portsInOneTransaction(n)))
  figures.add(peer.name, `${n} ports in one transaction`, inOne * 1000, 'ms', true)
  const more = portNames(20, 'more')
  const oneByOne = await timed(() => {
    for (const name of more) vsctl(peer, 'add-port', 'br0', name)
  })
  figures.add(peer.name, `ovs-vsctl add-port, with ${n} ports`, (oneByOne / more.length) * 1000, 'ms', true)
  const removal = { op: 'update', table: 'Bridge', where: [], row: { ports: ['set', []] } }
  const removed = await timed(() => client.wholeReply(Client.transaction(removal)))
  figures.add(peer.name, `${n} ports taken away`, removed * 1000, 'ms', true)
  const batch = portNames(n, 'v').flatMap((name) => ['--', 'add-port', 'br0', name])
  const byVsctl = await timed(() => vsctl(peer, ...batch))
  figures.add(peer.name, `ovs-vsctl, ${n} add-port in one command`, byVsctl * 1000, 'ms', true)
  await client.wholeReply(Client.transaction(removal))
  client.close()
}

function portsInOneTransaction(n: number): string {
  const names = portNames(n, 'p')
  const rows = names.flatMap((name): Json[] => [
    { op: 'insert', table: 'Interface', 'uuid-name': `i_${name}`, row: { name } },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': `p_${name}`,
      row: { name, interfaces: ['named-uuid', `i_${name}`] },
    },
  ])
  const all: Json = ['set', names.map((name) => ['named-uuid', `p_${name}`])]
  return Client.transaction(...rows, {
    op: 'mutate',
    table: 'Bridge',
    where: [['name', '==', 'br0']],
    mutations: [['ports', 'insert', all]],
  })
}

/** Many rows: how much memory they take, and how long a client waits that monitors them. They stay. */
export async function manyRows(peer: Peer, n: number, figures: Figures): Promise<void> {
  const client = await Client.open(peer.socket)
  const at = 1000
  for (let i = 0; i < n; i += at) {
    const rows = Array.from({ length: at }, (_, j): Json => {
      const ids: Json = [
        'map',
        [
          ['id', `queue-${i + j}`],
          ['owner', 'bench'],
        ],
      ]
      return { op: 'insert', table: 'Queue', row: { dscp: (i + j) % 64, external_ids: ids } }
    })
    await client.pipeline([Client.transaction(...rows)], 1)
  }
  figures.add(peer.name, `memory with ${n} rows`, residentBytes(peer.pid) / 2 ** 20, 'MB', true)
  const columns = ['dscp', 'external_ids']
  const request = (method: string, more: readonly Json[]) =>
    JSON.stringify({ id: 1, method, params: ['Open_vSwitch', 'bench', { Queue: [{ columns }] }, ...more] })
  for (const [method, more] of [
    ['monitor', []],
    ['monitor_cond_since', ['00000000-0000-0000-0000-000000000000']],
  ] as const) {
    const watcher = await Client.open(peer.socket)
    const seconds = await timed(() => watcher.wholeReply(request(method, more)))
    figures.add(peer.name, `${method} of ${n} rows`, seconds * 1000, 'ms', true)
    watcher.close()
  }
  client.close()
}

function residentBytes(pid: number): number {
  const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!
  return Number(kilobytes) * 1024
}
