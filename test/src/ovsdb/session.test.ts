import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { parseSchema, schemaToJson } from '../../../protocols/ovsdb/schema.ts'
import { ZERO_UUID } from '../../../protocols/ovsdb/uuid.ts'
import { seededRandom } from '../../../protocols/random.ts'
import { RpcError, RpcPeer } from '../../../src/ovsdb/rpc-peer.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const SCHEMA = parseSchema({
  name: 'db',
  version: '1.0.0',
  tables: {
    T: {
      columns: {
        name: { type: 'string' },
        n: { type: 'integer' },
        set: { type: { key: 'integer', min: 0, max: 'unlimited' } },
      },
      indexes: [['name']],
    },
  },
})

class Client {
  readonly peer: RpcPeer
  readonly told: Json[] = []
  closed = false

  constructor(peer: (client: Client) => RpcPeer) {
    this.peer = peer(this)
  }

  async ask(method: string, ...params: Json[]): Promise<Json> {
    try {
      return await this.peer.request(method, params)
    } catch (error) {
      if (error instanceof RpcError) return { error: error.error }
      throw error
    }
  }

  transact(...operations: Json[]): Promise<Json> {
    return this.ask('transact', 'db', ...operations)
  }

  /** What has come since the last time. */
  news(): Json[] {
    return this.told.splice(0)
  }
}

class Lab {
  readonly clock = new VirtualClock()
  readonly server = new OvsdbServer({ clock: this.clock, random: seededRandom(1) })
  readonly served = this.server.add(emptyDatabase(SCHEMA))

  async client(): Promise<Client> {
    const channel = await this.server.remote.open(new AbortController().signal)
    return new Client(
      (client) =>
        new RpcPeer(channel, this.clock, 0, {
          notification: (method, params) => client.told.push([method, ...params]),
          closed: () => {
            client.closed = true
          },
        }),
    )
  }
}

const insert = (name: string, n = 0): Json => ({ op: 'insert', table: 'T', row: { name, n } })
const update = (name: string, n: number): Json => ({
  op: 'update',
  table: 'T',
  where: [['name', '==', name]],
  row: { n },
})
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('methods', () => {
  test.each([
    ['list_dbs', [], ['_Server', 'db']],
    ['get_schema', ['db'], schemaToJson(SCHEMA)],
    ['echo', [1, 'a', null], [1, 'a', null]],
    ['set_db_change_aware', [true], {}],
    [
      'get_schema',
      ['nothing'],
      {
        error: {
          error: 'unknown database',
          details: 'get_schema request specifies unknown database nothing',
          syntax: '["nothing"]',
        },
      },
    ],
    [
      'transact',
      [],
      {
        error: {
          error: 'syntax error',
          details: 'transact request params must begin with <db-name>',
          syntax: '[]',
        },
      },
    ],
    ['dance', [], { error: 'unknown method' }],
    ['constructor', [], { error: 'unknown method' }],
    ['monitor_cancel', ['x'], { error: 'unknown monitor' }],
    ['monitor_cancel', [], { error: 'invalid parameters' }],
    [
      'monitor',
      ['db', 'x'],
      { error: { error: 'syntax error', details: 'invalid parameters', syntax: '["db","x"]' } },
    ],
    ['monitor', ['db', 'x', { U: {} }], { error: { error: 'syntax error', details: 'no table named U' } }],
    [
      'lock',
      ['1x'],
      { error: { error: 'syntax error', details: 'lock request params must be <id>', syntax: '["1x"]' } },
    ],
    [
      'unlock',
      ['x'],
      {
        error: {
          error: 'syntax error',
          details: 'unlock: "unlock" without "lock" or "steal"',
          syntax: '["x"]',
        },
      },
    ],
  ] as [string, Json[], Json][])('%s %j', async (method, params, answer) => {
    const client = await new Lab().client()
    expect(await client.ask(method, ...params)).toEqual(answer)
  })

  test('whatever is asked for has an answer', async () => {
    const client = await new Lab().client()
    const methods = [
      'transact',
      'monitor',
      'monitor_cond',
      'monitor_cond_since',
      'monitor_cond_change',
      'convert',
    ]
    const any = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
      fc.constantFrom<Json>('db', { T: [{}] }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...methods),
        fc.array(any, { maxLength: 5 }),
        async (method, params) => {
          const answer = client.ask(method, ...(params.length > 1 ? ['db', ...params.slice(1)] : params))
          expect(await answer).not.toBeUndefined()
        },
      ),
      { numRuns: 300 },
    )
  })

  test('the server has an id', async () => {
    const client = await new Lab().client()
    expect(await client.ask('get_server_id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/)
  })
})

test('without conditions there is "monitor" only', async () => {
  const lab = new Lab()
  lab.server.monitorsHaveConditions = false
  const client = await lab.client()
  for (const [method, ...more] of [['monitor_cond'], ['monitor_cond_since', ZERO_UUID]] as const)
    expect(await client.ask(method, 'db', method, {}, ...more)).toEqual({ error: 'unknown method' })
  expect(await client.ask('monitor', 'db', 'm', { T: {} })).toEqual({})
  await client.transact({ op: 'insert', table: 'T', row: { name: 'a' } }, { op: 'comment', comment: 'x' })
  await client.transact({ op: 'update', table: 'T', where: [], row: { name: 'a' } })
  await client.transact({ op: 'abort' })
  expect(lab.server.events).toMatchObject({ txn_unchanged: 1, txn_error: 1, monitor_update: 1 })
})

test('names that every object of JavaScript has are names like others', async () => {
  const lab = new Lab()
  const columns = {
    hasOwnProperty: { type: 'integer' },
    valueOf: { type: { key: 'string', min: 0, max: 9 } },
  }
  const tables = { constructor: { columns }, toString: { columns } }
  lab.server.add(emptyDatabase(parseSchema({ name: 'odd', tables })))
  const client = await lab.client()
  await client.ask('monitor', 'odd', 1, { constructor: {} })
  await client.ask('monitor_cond', 'odd', 2, { toString: {} })
  const on = (table: string) => [
    { op: 'insert', table, row: { hasOwnProperty: 1 } },
    {
      op: 'mutate',
      table,
      where: [['hasOwnProperty', '==', 1]],
      mutations: [
        ['hasOwnProperty', '+=', 1],
        ['valueOf', 'insert', 'x'],
      ],
    },
    { op: 'select', table, where: [], columns: ['hasOwnProperty', 'valueOf'] },
  ]
  const row = { hasOwnProperty: 2, valueOf: 'x' }
  const done = [{ uuid: expect.anything() }, { count: 1 }, { rows: [row] }]
  expect(await client.ask('transact', 'odd', ...on('constructor'), ...on('toString'))).toEqual([
    ...done,
    ...done,
  ])
  const [[, , one], [, , two]] = client.news() as [string, Json, Record<string, Record<string, Json>>][]
  expect(Object.values(one['constructor'])).toEqual([{ new: { ...row, _version: expect.anything() } }])
  expect(Object.values(two['toString'])).toEqual([{ insert: { ...row, _version: expect.anything() } }])
})

describe('waiting transactions', () => {
  const wait = (n: number, timeout?: number): Json => ({
    op: 'wait',
    table: 'T',
    where: [['name', '==', 'a']],
    columns: ['n'],
    until: '==',
    rows: [{ n }],
    ...(timeout === undefined ? {} : { timeout }),
  })

  test('go on when another client makes true what they wait for', async () => {
    const lab = new Lab()
    const [one, two] = [await lab.client(), await lab.client()]
    const waiting = one.transact(wait(7), insert('b'))
    await two.transact(insert('a'))
    expect(lab.served.waiting).toBe(1)
    await two.transact(update('a', 7))
    expect(await waiting).toEqual([{}, { uuid: ['uuid', expect.any(String)] }])
    expect(lab.served.waiting).toBe(0)
  })

  test('time out', async () => {
    const lab = new Lab()
    const client = await lab.client()
    const waiting = client.transact(wait(7, 100))
    await turn()
    lab.clock.advance(100)
    expect(await waiting).toEqual([{ error: 'timed out', details: '"wait" timed out after 100 ms' }])
  })

  test('are canceled, by their request id', async () => {
    const lab = new Lab()
    const client = await lab.client()
    const waiting = client.transact(wait(7))
    client.peer.notify('cancel', ['no such id'])
    client.peer.notify('cancel', [0])
    expect(await waiting).toEqual({ error: 'canceled' })
    expect(lab.served.waiting).toBe(0)
  })

  test('end with their client', async () => {
    const lab = new Lab()
    const client = await lab.client()
    client.transact(wait(7)).catch(() => {})
    await turn()
    expect(lab.served.waiting).toBe(1)
    client.peer.close()
    await turn()
    expect(lab.served.waiting).toBe(0)
  })
})

describe('locks', () => {
  test('one owns, others wait in line; a stolen lock comes back to who had it by waiting', async () => {
    const lab = new Lab()
    const [one, two, thief] = [await lab.client(), await lab.client(), await lab.client()]
    expect(await one.ask('lock', 'l')).toEqual({ locked: true })
    expect(await two.ask('lock', 'l')).toEqual({ locked: false })
    expect(await two.ask('lock', 'l')).toMatchObject({
      error: { details: 'must issue "unlock" before new "lock"' },
    })
    const assert = { op: 'assert', lock: 'l' }
    expect(await one.transact(assert)).toEqual([{}])
    expect(await two.transact(assert)).toMatchObject([{ error: 'not owner' }])
    expect(await thief.ask('steal', 'l')).toEqual({ locked: true })
    await turn()
    expect(one.news()).toEqual([['stolen', 'l']])
    expect(await one.transact(assert)).toMatchObject([{ error: 'not owner' }])
    expect(await thief.ask('unlock', 'l')).toEqual({})
    await turn()
    expect(one.news()).toEqual([['locked', 'l']])
    one.peer.close()
    await turn()
    expect(two.news()).toEqual([['locked', 'l']])
  })

  test('a thief that is robbed has lost the lock', async () => {
    const lab = new Lab()
    const [one, two] = [await lab.client(), await lab.client()]
    await one.ask('steal', 'l')
    await two.ask('steal', 'l')
    await two.ask('unlock', 'l')
    await turn()
    expect(one.news()).toEqual([['stolen', 'l']])
    expect(await one.transact({ op: 'assert', lock: 'l' })).toMatchObject([{ error: 'not owner' }])
    expect(await one.ask('unlock', 'l')).toEqual({})
  })
})

describe('monitors', () => {
  test('one learns of its own transaction before the reply', async () => {
    const lab = new Lab()
    const client = await lab.client()
    expect(await client.ask('monitor', 'db', null, { T: { columns: ['name'] } })).toEqual({})
    await client.transact(insert('a'))
    expect(client.news()).toEqual([['update', null, { T: { [rowOf(lab)]: { new: { name: 'a' } } } }]])
    expect(await client.ask('monitor', 'db', null, {})).toMatchObject({
      error: { details: 'duplicate monitor ID' },
    })
    await client.ask('monitor_cancel', null)
    await client.transact(insert('b'))
    expect(client.news()).toEqual([])
  })

  test('changing the conditions tells what appears and disappears', async () => {
    const lab = new Lab()
    const client = await lab.client()
    await client.transact(insert('a', 1), insert('b', 2))
    const monitored = { T: [{ columns: ['name'], where: [['n', '==', 1]] }] }
    const initial = (await client.ask('monitor_cond', 'db', 'm', monitored)) as { T: object }
    expect(Object.values(initial.T)).toEqual([{ initial: { name: 'a' } }])
    const change = { T: [{ where: [['n', '>', 1]] }] }
    expect(await client.ask('monitor_cond_change', 'm', 'm2', change)).toEqual({})
    const [[method, id, updates]] = client.news() as [[string, Json, { T: Record<string, Json> }]]
    expect([method, id]).toEqual(['update2', 'm2'])
    expect(Object.values(updates.T)).toEqual(
      expect.arrayContaining([{ delete: null }, { insert: { name: 'b' } }]),
    )
    await client.transact(update('b', 0), update('a', 5))
    const [[, , later]] = client.news() as [[string, Json, { T: Record<string, Json> }]]
    expect(Object.values(later.T)).toEqual(
      expect.arrayContaining([{ delete: null }, { insert: { name: 'a' } }]),
    )
  })

  test('since a transaction that is known only what came after is told, else everything', async () => {
    const lab = new Lab()
    const client = await lab.client()
    await client.transact(insert('a'))
    const since = (id: Json, last: string) =>
      client.ask('monitor_cond_since', 'db', id, { T: [{ columns: ['name', 'n'] }] }, last) as Promise<
        [boolean, string, { T: Record<string, Json> }]
      >
    const nothing = '00000000-0000-0000-0000-000000000000'
    const [found, last, all] = await since(1, nothing)
    expect([found, Object.values(all.T)]).toEqual([false, [{ initial: { name: 'a' } }]])
    await client.transact(update('a', 3), insert('b'))
    const [[method, id, next]] = client.news() as [[string, Json, string]]
    expect([method, id]).toEqual(['update3', 1])
    const [foundAgain, lastAgain, updates] = await since(2, last)
    expect([foundAgain, lastAgain]).toEqual([true, next])
    expect(Object.values(updates.T)).toEqual(
      expect.arrayContaining([{ modify: { n: 3 } }, { insert: { name: 'b' } }]),
    )
    expect(await since(3, next)).toEqual([true, next, {}])
    expect((await since(4, '12345678-1234-4234-8234-123456789012'))[0]).toBe(false)
    for (let n = 0; n < 101; n++) await client.transact(update('a', n))
    expect((await since(5, last))[0]).toBe(false)
  })

  const rowOf = (lab: Lab) => lab.served.database.tables.get('T')!.rows.values()[0].uuid
})

describe('_Server', () => {
  const databases = async (client: Client) => {
    const select = {
      op: 'select',
      table: 'Database',
      where: [],
      columns: ['name', 'model', 'connected', 'leader'],
    }
    const [{ rows }] = (await client.ask('transact', '_Server', select)) as [{ rows: Json[] }]
    return rows
  }

  test('says what is served, and nobody but the server changes it', async () => {
    const client = await new Lab().client()
    const row = { model: 'standalone', connected: true, leader: true }
    expect(await databases(client)).toEqual(
      expect.arrayContaining([
        { name: 'db', ...row },
        { name: '_Server', ...row },
      ]),
    )
    expect(
      await client.ask('transact', '_Server', { op: 'delete', table: 'Database', where: [] }),
    ).toMatchObject([{ error: 'not allowed' }])
  })

  test('clients that do not look at it are disconnected when databases come and go', async () => {
    const lab = new Lab()
    const [unaware, aware] = [await lab.client(), await lab.client()]
    await aware.ask('set_db_change_aware', true)
    await unaware.ask('echo')
    lab.server.add(emptyDatabase({ ...SCHEMA, name: 'other' }))
    await turn()
    expect([unaware.closed, aware.closed]).toEqual([true, false])
    expect(await databases(aware)).toHaveLength(3)
    lab.server.remove('other')
    expect(await databases(aware)).toHaveLength(2)
  })
})

describe('conversion', () => {
  const wider = {
    name: 'db',
    version: '2.0.0',
    tables: {
      T: { columns: { name: { type: 'string' }, extra: { type: 'integer' } } },
      U: { columns: { x: { type: 'real' } } },
    },
  }

  test('keeps what both schemas have; monitors end, clients are told or disconnected', async () => {
    const lab = new Lab()
    const [one, aware] = [await lab.client(), await lab.client()]
    await aware.ask('set_db_change_aware', true)
    await aware.ask('monitor', 'db', 'm', { T: {} })
    await one.transact(insert('a', 5))
    await turn()
    aware.news()
    expect(await one.ask('convert', 'db', wider)).toEqual({})
    await turn()
    expect(one.closed).toBe(true)
    expect(aware.news()).toEqual([['monitor_canceled', 'm']])
    expect(await aware.transact({ op: 'select', table: 'T', where: [], columns: ['name', 'extra'] })).toEqual(
      [{ rows: [{ name: 'a', extra: 0 }] }],
    )
  })

  test.each([
    [{ ...wider, name: 'x' }, { error: 'invalid parameters' }],
    [{ name: 'db' }, { error: 'syntax error' }],
    [
      { name: 'db', tables: { T: { columns: { name: { type: 'integer' } } } } },
      { error: 'syntax error', details: 'expected integer' },
    ],
  ])('to %j is refused and changes nothing', async (schema, error) => {
    const lab = new Lab()
    const client = await lab.client()
    await client.transact(insert('a'))
    expect(await client.ask('convert', 'db', schema)).toMatchObject({ error })
    expect(await client.ask('get_schema', 'db')).toEqual(schemaToJson(SCHEMA))
  })
})
