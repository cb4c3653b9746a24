import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemRandom } from '../../../engine/sys/random.ts'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import { formatJson, type Json, type JsonObject } from '../../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { OvsdbClient } from '../../../src/ovsdb/client.ts'
import { Relay } from '../../../src/ovsdb/relay.ts'
import { type Remote, remoteAt } from '../../../src/ovsdb/remote.ts'
import { Remotes } from '../../../src/ovsdb/remotes.ts'
import { Replica } from '../../../src/ovsdb/replica.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import { type Clock, realClock } from '../../../src/services/scheduler.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'
import { comparable, Dialogue } from '../../support/ovsdb-dialogue.ts'
import { TRIAL_COLUMNS, TRIAL_SCHEMA, trialTransaction } from '../../support/ovsdb-transactions.ts'
import { until } from '../../support/until.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const dir = new OvsdbDirectory()
const closing: (() => void)[] = []
afterAll(async () => {
  for (const close of closing.splice(0)) close()
  await dir.remove()
})

const newServer = (clock: Clock = realClock) => new OvsdbServer({ clock, random: systemRandom() })

function ourRelay(remote: Remote, clock: Clock = realClock): OvsdbServer {
  const server = newServer(clock)
  const relay = new Relay({ server, clock, name: 'Trial', remotes: [remote] })
  closing.push(() => relay.close())
  return server
}

/** Our server with the database, where others can reach it. */
async function ourSource(name: string): Promise<Remote> {
  const server = newServer()
  server.add(emptyDatabase(parseSchema(TRIAL_SCHEMA)))
  const remotes = new Remotes({ server, clock: realClock, directory: dir.path, tls: () => undefined })
  closing.push(() => {
    remotes.close()
    server.close()
  })
  await remotes.add(`punix:${dir.file(name)}`)
  return remoteAt(`unix:${dir.file(name)}`, undefined)!
}

const select = (table: string, ...columns: string[]): Json => ({ op: 'select', table, where: [], columns })

/** A client of a relay that is connected; clients that came before are sent away when it is. */
async function available(remote: Remote): Promise<Dialogue> {
  const client = await until(async () => {
    const dialogue = await Dialogue.open(remote)
    // Also who comes a moment too early is sent away.
    const answer = await dialogue.ask('transact', 'Trial', select('Few', '_uuid')).catch(() => undefined)
    if (Array.isArray(answer)) return dialogue
    dialogue.close()
    return undefined
  }, `${remote.name} has the database`)
  closing.push(() => client.close())
  return client
}

/** Every relay and source, by what it is; the first is the original's alone. */
const chains = new Map<string, Dialogue>()

beforeAll(async () => {
  const schema = dir.file('trial.ovsschema')
  writeFileSync(schema, JSON.stringify(TRIAL_SCHEMA))
  const realSource = async (name: string) =>
    remoteAt((await dir.serve(name, [dir.create(`${name}.db`, schema)])).remote, undefined)!
  const realRelay = async (name: string, source: Remote) =>
    remoteAt((await dir.serve(name, [`relay:Trial:${source.name}`])).remote, undefined)!
  const all = {
    'theirs of theirs': await realRelay('relay-a', await realSource('source-a')),
    'ours of theirs': ourRelay(await realSource('source-b')).remote,
    'theirs of ours': await realRelay('relay-c', await ourSource('source-c')),
    'ours of ours, twice': ourRelay(ourRelay(await ourSource('source-d')).remote).remote,
  }
  for (const [name, remote] of Object.entries(all)) {
    chains.set(name, await available(remote))
  }
})

const named = <T>(values: readonly T[]) =>
  Object.fromEntries([...chains.keys()].map((name, i) => [name, values[i]]))

/** Of several monitors any may be told first. */
const byText = (messages: readonly Json[]): Json =>
  [...messages].sort((a, b) => (formatJson(a) < formatJson(b) ? -1 : 1))

/** The same is asked of all, and answered alike; and so is what they have been told meanwhile. */
async function all(method: string, ...params: Json[]): Promise<Json> {
  const dialogues = [...chains.values()]
  const answers = await Promise.all(dialogues.map((dialogue) => dialogue.ask(method, ...params)))
  const heard = answers.map((answer, i) => comparable([answer, byText(dialogues[i].told())]))
  expect(named(heard)).toEqual(named(heard.map(() => heard[0])))
  return answers[0]
}

const everything: Json[] = Object.entries(TRIAL_COLUMNS).map(([table, columns]) =>
  select(table, '_uuid', ...columns),
)

test('transactions and monitors are answered as by the original, whoever relays whom', async () => {
  const tables = Object.entries(TRIAL_COLUMNS).map(([table, columns]) => [table, [{ columns }]] as const)
  const monitored: Json = Object.fromEntries(tables)
  await fc.assert(
    fc.asyncProperty(fc.array(trialTransaction, { minLength: 5, maxLength: 20 }), async (transactions) => {
      for (const table of ['Pin', 'Clip', 'Few', 'Root', 'Child']) {
        await all('transact', 'Trial', { op: 'delete', table, where: [] })
      }
      const [id, last] = ['id', '00000000-0000-0000-0000-000000000000']
      for (const method of ['monitor', 'monitor_cond']) await all(method, 'Trial', [method, id], monitored)
      await all('monitor_cond_since', 'Trial', [id], monitored, last)
      for (const operations of transactions) await all('transact', 'Trial', ...operations)
      await all('transact', 'Trial', ...everything)
      for (const each of [['monitor', id], ['monitor_cond', id], [id]]) await all('monitor_cancel', each)
    }),
    { numRuns: 25 },
  )
})

test('locks are those of the relay, and nobody has them at the source', async () => {
  const add: JsonObject = { op: 'insert', table: 'Pin', row: {} }
  await all('lock', 'mine')
  await all('steal', 'other')
  await all('lock', 'mine')
  await all('transact', 'Trial', { op: 'assert', lock: 'mine' }, select('Few', 'n'))
  await all('transact', 'Trial', { op: 'assert', lock: 'mine' }, add)
  await all('transact', 'Trial', { op: 'assert', lock: 'no' }, add)
  await all('unlock', 'mine')
})

test('a wait holds a transaction here, until the source has what it waits for or the time is up', async () => {
  const waits = (timeout: number): Json => {
    const wait = { op: 'wait', timeout, table: 'Few', where: [], columns: ['n'] }
    return { ...wait, until: '==', rows: [{ n: 77 }] }
  }
  await all('transact', 'Trial', { op: 'delete', table: 'Few', where: [] })
  const timedOut = await all('transact', 'Trial', waits(0), { op: 'comment', comment: 'x' })
  expect(timedOut).toMatchObject([{ error: 'timed out' }, null])
  const waiting = all('transact', 'Trial', waits(30_000), { op: 'delete', table: 'Few', where: [] })
  await Promise.all(
    [...chains.values()].map((d) =>
      d.ask('transact', 'Trial', { op: 'insert', table: 'Few', row: { n: 77 } }),
    ),
  )
  expect(await waiting).toEqual([{}, { count: 1 }])
})

test("_Server tells that it is a relay, connected and nobody's leader", async () => {
  const columns = ['name', 'model', 'connected', 'leader']
  const where = [['name', '==', 'Trial']]
  const [answer] = (await all('transact', '_Server', {
    op: 'select',
    table: 'Database',
    where,
    columns,
  })) as Json[]
  expect(answer).toEqual({ rows: [{ name: 'Trial', model: 'relay', connected: true, leader: false }] })
})

test('who wants a leader and no other server is not content with a relay, as with the original', async () => {
  const source = newServer()
  source.add(emptyDatabase(parseSchema(TRIAL_SCHEMA)))
  const { remote } = ourRelay(source.remote)
  await available(remote)
  const told = (leaderOnly: boolean) =>
    new Promise<string>((resolve) => {
      const options = { remotes: [remote], clock: realClock, retry: false, failed: resolve }
      const client = new OvsdbClient(options)
      new Replica(client, { database: 'Trial', leaderOnly, changed: () => resolve('content') })
      client.start()
      closing.push(() => client.close())
    })
  expect(await told(true)).toBe('relay database server cannot be a leader; trying another server')
  expect(await told(false)).toBe('content')
})

test('a database that was not there yet is not available; ids of transactions are the same at all relays', async () => {
  const source = newServer()
  let up = false
  const { open } = source.remote
  const remote: Remote = {
    ...source.remote,
    open: (signal) => (up ? open(signal) : Promise.reject(new Error('refused'))),
  }
  const clock = new VirtualClock()
  const relays = [ourRelay(remote, clock), ourRelay(remote, clock)]
  const clients = await Promise.all(relays.map((relay) => Dialogue.open(relay.remote)))
  expect(await clients[0].ask('list_dbs')).toEqual(['_Server', 'Trial'])
  const get = async (method: string, ...params: Json[]) => await clients[0].ask(method, 'Trial', ...params)
  for (const method of ['get_schema', 'transact', 'monitor', 'convert']) {
    expect(await get(method)).toEqual({
      failed: {
        error: 'database not available',
        details: `${method} request specifies database Trial which is not yet available because it has not completed joining its cluster`,
      },
    })
  }
  source.add(emptyDatabase(parseSchema(TRIAL_SCHEMA)))
  up = true
  clock.advance(1000)
  const again = await Promise.all(relays.map((relay) => available(relay.remote)))
  await again[0].ask('transact', 'Trial', { op: 'insert', table: 'Few', row: { n: 1 } })
  await until(async () => {
    const [few] = (await again[1].ask('transact', 'Trial', select('Few', 'n'))) as JsonObject[]
    return (few.rows as Json[]).length === 1
  }, 'the other relay has it')
  const since = async (dialogue: Dialogue, id: string) =>
    (await dialogue.ask('monitor_cond_since', 'Trial', id, { Few: [{}] }, id)) as [boolean, string, Json]
  const [, id] = await since(again[0], '00000000-0000-0000-0000-000000000000')
  expect(await since(again[1], id)).toEqual([true, id, {}])
})

test('a conversion is done at the source and comes back; only what is lost for long is told as lost', async () => {
  const source = newServer()
  source.add(emptyDatabase(parseSchema(TRIAL_SCHEMA)))
  const clock = new VirtualClock()
  let up = true
  const { open } = source.remote
  const relay = ourRelay(
    {
      ...source.remote,
      open: (signal) => (up ? open(signal) : Promise.reject(new Error('refused'))),
    },
    clock,
  )
  const client = await available(relay.remote)
  await client.ask('set_db_change_aware', true)
  expect(await client.ask('convert', 'Trial', { ...TRIAL_SCHEMA, name: 'Other' })).toMatchObject({
    failed: { error: 'invalid parameters' },
  })
  expect(await client.ask('convert', 'Trial', { ...TRIAL_SCHEMA, version: '2.0.0' })).toEqual({})
  const version = () => relay.databases.get('Trial')!.database.schema.version
  await until(() => version() === '2.0.0', 'the relay has the new schema')
  expect(source.databases.get('Trial')!.database.schema.version).toBe('2.0.0')
  const connected = async () => {
    const where = [['name', '==', 'Trial']]
    const operation = { op: 'select', table: 'Database', where, columns: ['connected'] }
    return (await client.ask('transact', '_Server', operation)) as Json
  }
  up = false
  source.close()
  await connected()
  clock.advance(29_000)
  expect(await connected()).toEqual([{ rows: [{ connected: true }] }])
  clock.advance(2000)
  expect(await connected()).toEqual([{ rows: [{ connected: false }] }])
})

test('without its source it is read and waits to write; what was under way when it was lost is canceled', async () => {
  const file = dir.file('lost.db')
  dir.run('ovsdb-tool', 'create', file, dir.file('trial.ovsschema'))
  const first = await dir.serve('lost', [file])
  const client = await available(ourRelay(remoteAt(first.remote, undefined)!).remote)
  const insert = (n: number): Json => ({ op: 'insert', table: 'Few', row: { n } })
  const rows = async () =>
    ((await client.ask('transact', 'Trial', select('Few', 'n'))) as JsonObject[])[0].rows
  await client.ask('transact', 'Trial', insert(1))
  first.process.kill('SIGSTOP')
  const underWay = client.ask('transact', 'Trial', insert(2))
  await first.stop()
  expect(await underWay).toEqual({ failed: 'canceled' })
  expect(await rows()).toEqual([{ n: 1 }])
  const waiting = client.ask('transact', 'Trial', insert(3))
  expect(await rows()).toEqual([{ n: 1 }])
  await dir.serve('lost', [file])
  expect(await waiting).toEqual([{ uuid: ['uuid', expect.any(String)] }])
})
