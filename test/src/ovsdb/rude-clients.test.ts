import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { remoteAt } from '../../../src/ovsdb/remote.ts'
import { Remotes } from '../../../src/ovsdb/remotes.ts'
import { RpcPeer } from '../../../src/ovsdb/rpc-peer.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import { realClock } from '../../../src/services/scheduler.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'
import { until } from '../../support/until.ts'

const SCHEMA = parseSchema({
  name: 'db',
  version: '1.0.0',
  tables: { T: { columns: { n: { type: 'integer' }, text: { type: 'string' } }, indexes: [['n']] } },
})

let dir: OvsdbDirectory
let server: OvsdbServer
let remotes: Remotes
const path = () => dir.file('db.sock')

beforeEach(async () => {
  dir = new OvsdbDirectory()
  server = new OvsdbServer({
    clock: realClock,
    random: seededRandom(1),
    unfinishedLimit: 8 * 2 ** 20,
    pendingLimit: 100,
  })
  server.add(emptyDatabase(SCHEMA))
  remotes = new Remotes({ server, clock: realClock, directory: dir.path, tls: () => undefined })
  await remotes.add('punix:db.sock')
})
afterEach(async () => {
  remotes.close()
  await dir.remove()
})

async function rude(): Promise<Socket> {
  const socket = connect({ path: path() })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

async function polite(): Promise<RpcPeer> {
  const channel = await remoteAt(`unix:${path()}`, undefined)!.open(new AbortController().signal)
  return new RpcPeer(channel, realClock, 0, {})
}

const request = (method: string, ...params: Json[]) => JSON.stringify({ id: 1, method, params })
const put = (n: number, text: string): Json[] => [
  { op: 'delete', table: 'T', where: [['n', '==', n]] },
  { op: 'insert', table: 'T', row: { n, text } },
]

async function expectServed(): Promise<void> {
  const client = await polite()
  expect(await client.request('echo', ['still there?'])).toEqual(['still there?'])
  expect(await client.request('transact', ['db', ...put(0, 'x')])).toHaveLength(2)
  client.close()
}

describe('who sends nonsense is disconnected, nobody else', () => {
  test.each([
    ['no JSON', 'nonsense'],
    ['JSON that is broken', '{"id":1,]'],
    ['JSON that is nested deeply', '['.repeat(100_000)],
    ['objects that are nested deeply', '{"a":'.repeat(100_000)],
    ['bytes that are no text', Buffer.from([0x22, 0xff, 0xfe, 0x22])],
    ['a number', '5'],
    ['no message', '{"a":1}'],
    ['a message with too much', '{"id":1,"method":"echo","params":[],"result":1}'],
    ['a method that is a number', '{"id":1,"method":5,"params":[]}'],
    ['parameters that are an object', '{"id":1,"method":"echo","params":{}}'],
  ])('%s', async (_what, bytes) => {
    const socket = await rude()
    socket.resume()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(bytes)
    await closed
    await expectServed()
    await until(() => [...server.sessions].length === 0, 'no session is left')
  })
})

test('messages without end have only so much room, and who has none of it is served', async () => {
  const endless = await Promise.all(Array.from({ length: 5 }, rude))
  let left = endless.length
  for (const socket of endless) {
    socket.resume()
    socket.on('close', () => left--)
    socket.write('["')
  }
  const piece = 'z'.repeat(500_000)
  for (let i = 0; i < 8; i++) {
    for (const socket of endless) if (socket.writable) socket.write(piece)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await until(() => left < 5, 'who takes too much is disconnected')
  await expectServed()
  for (const socket of endless) socket.destroy()
  await until(() => [...server.sessions].length === 0, 'no session is left')
  const client = await polite()
  expect(await client.request('echo', ['w'.repeat(3_000_000)])).toHaveLength(1)
  client.close()
})

test('who dies in the middle of a message or of a transaction that waits leaves nothing behind', async () => {
  const wait = { op: 'wait', table: 'T', where: [], columns: ['n'], until: '!=', rows: [] }
  for (const text of [request('transact', 'db').slice(0, 20), request('transact', 'db', wait)]) {
    const socket = await rude()
    socket.write(text)
    await until(() => [...server.sessions].length === 1, 'it is connected')
    socket.destroy()
  }
  await until(() => [...server.sessions].length === 0, 'no session is left')
  expect(server.databases.get('db')!.waiting).toBe(0)
  await expectServed()
})

test('who never reads is told nothing more until it does, and then what is different', async () => {
  const silent = await rude()
  silent.pause()
  silent.write(request('monitor', 'db', 'm', { T: {} }))
  const client = await polite()
  const text = 'x'.repeat(10_000)
  for (let n = 0; n < 600; n++) await client.request('transact', ['db', ...put(n % 50, text)])
  const most = Math.max(...[...server.sessions].map((session) => session.backlog))
  // 600 updates would be 12 MB; one more may be on its way when enough are.
  expect(most).toBeLessThan(1_500_000)
  await client.request('transact', ['db', ...put(0, 'the last')])
  let heard = ''
  silent.setEncoding('utf8').on('data', (chunk: string) => {
    heard += chunk
  })
  silent.resume()
  await until(() => heard.includes('the last'), 'it is told in the end')
  expect(heard.length).toBeLessThan(4_000_000)
  silent.destroy()
})

test('who never reads and falls too far behind is disconnected', async () => {
  const silent = await rude()
  silent.pause()
  silent.write(request('monitor', 'db', 'm', { T: {} }))
  const client = await polite()
  const text = 'x'.repeat(10_000)
  for (let n = 0; n < 300; n++) await client.request('transact', ['db', ...put(n, text)])
  await until(() => [...server.sessions].length === 1, 'only the other is left')
  expect(await client.request('echo', [])).toEqual([])
  silent.destroy()
})

test('who asks and asks and never reads is not heard any more', async () => {
  const silent = await rude()
  silent.pause()
  const big = 'y'.repeat(50_000)
  for (let i = 0; i < 400; i++) silent.write(request('echo', big))
  await expectServed()
  await until(() => silent.writableLength > 0, 'the server no longer takes what it sends')
  expect(Math.max(...[...server.sessions].map((session) => session.backlog))).toBeLessThan(1_000_000)
  silent.destroy()
})

test('a thousand clients at once are all served', async () => {
  const clients: RpcPeer[] = []
  // In lots, because this process has to accept them, too.
  for (let i = 0; i < 5; i++) clients.push(...(await Promise.all(Array.from({ length: 200 }, polite))))
  const replies = await Promise.all(
    clients.map((client, n) => client.request('transact', ['db', ...put(n, 'one of many')])),
  )
  expect(replies.every((reply) => (reply as Json[]).length === 2)).toBe(true)
  expect(server.databases.get('db')!.database.tables.get('T')!.rows.size).toBe(1000)
  for (const client of clients) client.close()
  await until(() => [...server.sessions].length === 0, 'no session is left')
})
