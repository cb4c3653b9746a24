import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { OPEN_VSWITCH } from '../../../protocols/ovsdb/schemas/open-vswitch.ts'
import { seededRandom } from '../../../protocols/random.ts'
import type { TlsFiles } from '../../../src/net/stream.ts'
import { StreamChannel } from '../../../src/ovsdb/channel.ts'
import { remoteAt } from '../../../src/ovsdb/remote.ts'
import { Remotes } from '../../../src/ovsdb/remotes.ts'
import { RpcPeer } from '../../../src/ovsdb/rpc-peer.ts'
import type { ServedDatabase } from '../../../src/ovsdb/served-database.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import { makePeers } from '../../support/certificates.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'
import { until } from '../../support/until.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const MANAGERS = 'db:Open_vSwitch,Open_vSwitch,manager_options'

let dir: OvsdbDirectory
let clock: VirtualClock
let served: ServedDatabase
let remotes: Remotes
let log: string[]
let tls: TlsFiles | undefined

beforeEach(() => {
  dir = new OvsdbDirectory()
  clock = new VirtualClock()
  log = []
  tls = undefined
  const server = new OvsdbServer({ clock, random: seededRandom(1) })
  served = server.add(emptyDatabase(parseSchema(OPEN_VSWITCH as unknown as Json)))
  served.execute([{ op: 'insert', table: 'Open_vSwitch', row: {} }])
  const say = (text: string) => log.push(text)
  const voices = { info: say, warn: say, err: say }
  remotes = new Remotes({ server, clock, directory: dir.path, tls: () => tls, log: voices })
})
afterEach(async () => {
  remotes.close()
  await dir.remove()
})

async function client(address: string): Promise<{ peer: RpcPeer; closed: () => boolean }> {
  const channel = await remoteAt(address, undefined)!.open(new AbortController().signal)
  let closed = false
  const peer = new RpcPeer(channel, clock, 0, {
    closed: () => {
      closed = true
    },
  })
  return { peer, closed: () => closed }
}

function manager(target: string, more: object = {}): void {
  served.execute([
    { op: 'insert', table: 'Manager', 'uuid-name': 'm', row: { target, ...more } },
    {
      op: 'mutate',
      table: 'Open_vSwitch',
      where: [],
      mutations: [['manager_options', 'insert', ['named-uuid', 'm']]],
    },
  ])
}

function managerRow() {
  const { columns } = served.database.tables.get('Manager')!.rows.values()[0]
  const { keys, values = [] } = columns.status
  return {
    connected: columns.is_connected.keys[0],
    status: Object.fromEntries(keys.map((key, i) => [key, values[i]])),
  }
}

test('a Unix socket is for nobody but its owner, and its clients go with it', async () => {
  await remotes.add('punix:db.sock')
  expect(statSync(dir.file('db.sock')).mode & 0o777).toBe(0o600)
  const { peer, closed } = await client(`unix:${dir.file('db.sock')}`)
  expect(await peer.request('echo', [1])).toEqual([1])
  remotes.remove('punix:db.sock')
  await until(closed, 'the client is disconnected')
  await expect(client(`unix:${dir.file('db.sock')}`)).rejects.toThrow()
})

/** Of the sockets of a port that are in a state, the TOS or traffic class, which is four times the DSCP. */
const markings = (state: string, port: number) =>
  [...dir.run('ss', '-tinH', '--tos', 'state', state, 'sport', '=', `:${port}`).matchAll(/tos:(\S+)/g)].map(
    (m) => Number(m[1]),
  )

test('what is sent is marked: by default, or with the DSCP that a row asks for', async () => {
  await remotes.add(MANAGERS)
  const other_config = (dscp: string): Json => ({ other_config: ['map', [['dscp', dscp]]] })
  for (const [target, more, tos] of [
    ['ptcp:0:127.0.0.1', {}, 48 << 2],
    ['ptcp:0:[::1]', other_config('10'), 10 << 2],
    ['ptcp:0', other_config('64'), 48 << 2],
  ] as const) {
    served.execute([
      { op: 'update', table: 'Open_vSwitch', where: [], row: { manager_options: ['set', []] } },
    ])
    manager(target, more as object)
    const port = await until(() => remotes.boundPort(target), `${target} listens`)
    const { peer } = await client(`tcp:${target.includes('::') ? '[::1]' : '127.0.0.1'}:${port}`)
    await peer.request('echo', [])
    await until(() => markings('established', port).length > 0, 'a client is connected')
    expect([markings('listening', port), markings('established', port)]).toEqual([[tos], [tos]])
    peer.close()
  }
})

test('rows ask for remotes, learn their status and take them back', async () => {
  await remotes.add(MANAGERS)
  manager('ptcp:0:127.0.0.1')
  const port = await until(() => remotes.boundPort('ptcp:0:127.0.0.1'), 'it listens')
  remotes.updateStatus()
  expect(managerRow()).toEqual({ connected: false, status: { bound_port: String(port) } })
  const one = await client(`tcp:127.0.0.1:${port}`)
  const two = await client(`tcp:127.0.0.1:${port}`)
  expect(await one.peer.request('list_dbs', [])).toEqual(['_Server', 'Open_vSwitch'])
  await two.peer.request('echo', [])
  remotes.updateStatus()
  expect(managerRow()).toEqual({ connected: true, status: { bound_port: String(port), n_connections: '2' } })
  served.execute([{ op: 'update', table: 'Open_vSwitch', where: [], row: { manager_options: ['set', []] } }])
  await until(() => one.closed() && two.closed(), 'the clients are disconnected')
})

test('the status is written every two and a half seconds, and only when it is another', async () => {
  await remotes.add(MANAGERS)
  manager('ptcp:0:127.0.0.1')
  await until(() => remotes.boundPort('ptcp:0:127.0.0.1'), 'it listens')
  let commits = 0
  served.observe({ committed: () => commits++, replaced: () => {} })
  clock.advance(2500)
  expect(managerRow().status).toHaveProperty('bound_port')
  clock.advance(10_000)
  expect(commits).toBe(1)
})

test('a remote that is called is called again when it goes away, ever later', async () => {
  const sockets: Socket[] = []
  const listener = createServer((socket) => sockets.push(socket))
  const port = await new Promise<number>((resolve) =>
    listener.listen(0, '127.0.0.1', () => resolve((listener.address() as { port: number }).port)),
  )
  await remotes.add(MANAGERS)
  manager(`tcp:127.0.0.1:${port}`, { inactivity_probe: 0 })
  await until(() => sockets.length === 1, 'it is called')
  const peer = new RpcPeer(new StreamChannel(sockets[0], 'server'), clock, 0, {})
  expect(await peer.request('lock', ['l'])).toEqual({ locked: true })
  clock.advance(3000)
  expect(managerRow()).toEqual({
    connected: true,
    status: { state: 'ACTIVE', sec_since_connect: '2', locks_held: 'l' },
  })
  peer.close()
  await until(() => {
    remotes.updateStatus()
    return managerRow().status.state === 'BACKOFF'
  }, 'it is known to be away')
  expect(sockets).toHaveLength(1)
  clock.advance(1000)
  await until(() => sockets.length === 2, 'it is called again')
  listener.close()
  for (const socket of sockets) socket.destroy()
})

test('what is no remote is said once, not with every change of the databases', async () => {
  await remotes.add('db:Nowhere,T,c')
  await remotes.add('db:Open_vSwitch,Open_vSwitch,nothing')
  await remotes.add('nonsense:1')
  served.execute([{ op: 'update', table: 'Open_vSwitch', where: [], row: { next_cfg: 1 } }])
  await new Promise((resolve) => setImmediate(resolve))
  expect(log.filter((text) => text.includes('no database named Nowhere'))).toHaveLength(2)
  expect(log.filter((text) => text.startsWith('nonsense:1: listen failed'))).toHaveLength(1)
})

test('an address that somebody has is taken when it is left', async () => {
  const other = createServer()
  const port = await new Promise<number>((resolve) =>
    other.listen(0, '127.0.0.1', () => resolve((other.address() as { port: number }).port)),
  )
  const name = `ptcp:${port}:127.0.0.1`
  await remotes.add(name)
  expect(log.at(-1)).toContain(`${name}: listen failed`)
  await new Promise((resolve) => other.close(resolve))
  clock.advance(5000)
  expect(await until(() => remotes.boundPort(name), 'it listens')).toBe(port)
})

test('over TLS the real ovsdb-client is served if the right authority has signed it', async () => {
  const peers = await makePeers(dir.path)
  tls = peers.switch
  await remotes.add('pssl:0:127.0.0.1')
  const port = await until(() => remotes.boundPort('pssl:0:127.0.0.1'), 'it listens')
  const listDatabases = ({ privateKey, certificate }: TlsFiles) => {
    const files = [`--private-key=${privateKey}`, `--certificate=${certificate}`]
    const words = [...files, `--ca-cert=${peers.controller.caCert}`, '--timeout=20', '-vconsole:off']
    return new Promise<string>((resolve) =>
      execFile('ovsdb-client', [...words, 'list-dbs', `ssl:127.0.0.1:${port}`], (_error, stdout) =>
        resolve(stdout),
      ),
    )
  }
  expect(await listDatabases(peers.controller)).toBe('Open_vSwitch\n_Server\n')
  // Signed by the authority of switches, which a switch does not trust.
  expect(await listDatabases(peers.switch)).toBe('')
})
