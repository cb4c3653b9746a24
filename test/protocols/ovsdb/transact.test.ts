import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Database, emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { type Done, type Environment, transact } from '../../../protocols/ovsdb/transact.ts'

const SCHEMA = parseSchema({
  name: 'db',
  version: '1.0.0',
  tables: {
    Root: {
      isRoot: true,
      maxRows: 3,
      columns: {
        name: { type: 'string' },
        n: { type: { key: { type: 'integer', minInteger: 0, maxInteger: 100 } } },
        set: { type: { key: 'integer', min: 0, max: 3 } },
        map: { type: { key: 'string', value: 'string', min: 0, max: 'unlimited' } },
        real: { type: 'real' },
        once: { type: 'string', mutable: false },
        children: { type: { key: { type: 'uuid', refTable: 'Child' }, min: 0, max: 'unlimited' } },
        weak: {
          type: { key: { type: 'uuid', refTable: 'Child', refType: 'weak' }, min: 0, max: 'unlimited' },
        },
      },
      indexes: [['name']],
    },
    Child: {
      columns: {
        label: { type: 'string' },
        next: { type: { key: { type: 'uuid', refTable: 'Child' }, min: 0 } },
        friend: { type: { key: { type: 'uuid', refTable: 'Root', refType: 'weak' }, min: 0 } },
      },
    },
  },
})

const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const ref = (n: number): Json => ['uuid', uuid(n)]
const named = (name: string): Json => ['named-uuid', name]

class Lab {
  database: Database = emptyDatabase(SCHEMA)
  #uuids = 1000

  run(...operations: Json[]): readonly Json[] {
    return this.done(operations).results
  }

  done(operations: readonly Json[], more: Partial<Environment> = {}): Done {
    const outcome = transact(this.database, operations, { newUuid: () => uuid(this.#uuids++), ...more })
    if (outcome.status !== 'done') throw new Error(outcome.status)
    this.database = outcome.database
    return outcome
  }

  rows(table: string, ...columns: string[]): Json {
    const [result] = this.run({ op: 'select', table, where: [], columns, sort: columns })
    return (result as { rows: Json }).rows
  }
}

const insert = (table: string, row: Json, n?: number): Json => ({
  op: 'insert',
  table,
  row,
  ...(n === undefined ? {} : { uuid: uuid(n) }),
})

/** Two roots, the first with a child, which has a friend and a next. */
function family(): Lab {
  const lab = new Lab()
  const results = lab.run(
    {
      op: 'insert',
      table: 'Root',
      uuid: uuid(1),
      row: { name: 'a', children: ref(3), weak: ref(4) },
    },
    { op: 'insert', table: 'Root', uuid: uuid(2), row: { name: 'b', n: 5, set: ['set', [3, 1]] } },
    {
      op: 'insert',
      table: 'Child',
      uuid: uuid(3),

      row: { label: 'c', next: ref(4), friend: ref(2) },
    },
    { op: 'insert', table: 'Child', uuid: uuid(4), row: { label: 'd' } },
  )
  expect(results).toEqual([1, 2, 3, 4].map((n) => ({ uuid: ref(n) })))
  return lab
}

describe('rows that nobody refers to', () => {
  test('of a table that is no root do not outlive the transaction', () => {
    const lab = new Lab()
    expect(lab.run(insert('Child', { label: 'x' }, 9))).toEqual([{ uuid: ref(9) }])
    expect(lab.rows('Child', 'label')).toEqual([])
  })

  test('go with the last reference, and those they refer to with them; weak references are dropped', () => {
    const lab = family()
    const { results, changes } = lab.done([
      { op: 'update', table: 'Root', where: [['name', '==', 'a']], row: { children: ['set', []] } },
    ])
    expect(results).toEqual([{ count: 1 }])
    expect(lab.rows('Child', 'label')).toEqual([])
    expect(lab.rows('Root', 'name', 'weak')).toEqual([
      { name: 'a', weak: ['set', []] },
      { name: 'b', weak: ['set', []] },
    ])
    expect(changes.map(({ table, before, after }) => [table, before?.uuid, after?.uuid]).sort()).toEqual([
      ['Child', uuid(3), undefined],
      ['Child', uuid(4), undefined],
      ['Root', uuid(1), uuid(1)],
    ])
  })

  test('stay while one reference is left', () => {
    const lab = family()
    lab.run({ op: 'mutate', table: 'Root', where: [], mutations: [['children', 'insert', ref(4)]] })
    lab.run({
      op: 'mutate',
      table: 'Root',
      where: [['name', '==', 'a']],
      mutations: [['children', 'delete', ['set', [ref(3), ref(4)]]]],
    })
    expect(lab.rows('Child', 'label')).toEqual([{ label: 'd' }])
  })
})

test('what a row refers to weakly may go, the reference with it', () => {
  const lab = family()
  lab.run({ op: 'delete', table: 'Root', where: [['_uuid', '==', ref(2)]] })
  expect(lab.rows('Child', 'label', 'friend')).toEqual([
    { label: 'c', friend: ['set', []] },
    { label: 'd', friend: ['set', []] },
  ])
})

const violations: [string, Json[], string, RegExp | undefined][] = [
  [
    'a strong reference to nothing',
    [{ op: 'update', table: 'Root', where: [], row: { children: ref(77) } }],
    'referential integrity violation',
    /^Table Root column children row .* references nonexistent row .*77 in table Child\.$/,
  ],
  [
    'a row that is referred to is deleted',
    [{ op: 'delete', table: 'Child', where: [['label', '==', 'd']] }],
    'referential integrity violation',
    /^cannot delete Child row .* because of 1 remaining reference\(s\)$/,
  ],
  [
    'two rows with one name',
    [{ op: 'update', table: 'Root', where: [], row: { name: 'same' } }],
    'constraint violation',
    /^Transaction causes multiple rows in "Root" table to have identical values \(same\) for index on column "name"\./,
  ],
  [
    'too many rows',
    [insert('Root', { name: 'x' }), insert('Root', { name: 'y' })],
    'constraint violation',
    /^transaction causes "Root" table to contain 4 rows, greater than the schema-defined limit of 3 row/,
  ],
]

test.each(violations)('%s undoes everything and is told at the end', (_name, operations, error, details) => {
  const lab = family()
  const before = lab.database
  const results = lab.run(...operations)
  expect(results).toHaveLength(operations.length + 1)
  expect(results.at(-1)).toMatchObject({ error, details: expect.stringMatching(details!) })
  expect(lab.database).toBe(before)
})

const failures: [string, Json, string][] = [
  ['no such operation', { op: 'dance' }, 'syntax error'],
  ['no such table', { op: 'select', table: 'T', where: [] }, 'syntax error'],
  ['a member too many', { op: 'select', table: 'Root', where: [], x: 1 }, 'syntax error'],
  ['no such column', insert('Root', { x: 1 }), 'unknown column'],
  ['out of range', insert('Root', { n: 101 }), 'constraint violation'],
  ['no such UUID', insert('Root', { children: ['uuid', '7'] }), 'syntax error'],
  ['a UUID twice', insert('Root', {}, 1), 'duplicate uuid'],
  ['immutable', { op: 'update', table: 'Root', where: [], row: { once: 'x' } }, 'constraint violation'],
  ['_uuid', { op: 'update', table: 'Root', where: [], row: { _uuid: ref(1) } }, 'constraint violation'],
  ['no such function', { op: 'select', table: 'Root', where: [['n', '~', 1]] }, 'unknown function'],
  ['a string is not smaller', { op: 'select', table: 'Root', where: [['name', '<', 'x']] }, 'syntax error'],
  [
    'no such mutator',
    { op: 'mutate', table: 'Root', where: [], mutations: [['n', '^=', 1]] },
    'unknown mutator',
  ],
  ['by zero', { op: 'mutate', table: 'Root', where: [], mutations: [['n', '/=', 0]] }, 'domain error'],
  [
    'beyond 64 bits',
    { op: 'mutate', table: 'Root', where: [['n', '==', 5]], mutations: [['n', '+=', 2n ** 63n - 1n]] },
    'range error',
  ],
  [
    'too many elements',
    {
      op: 'mutate',
      table: 'Root',
      where: [['name', '==', 'b']],
      mutations: [['set', 'insert', ['set', [4, 5]]]],
    },
    'constraint violation',
  ],
  ['abort', { op: 'abort' }, 'aborted'],
  ['a lock that is not held', { op: 'assert', lock: 'l' }, 'not owner'],
  [
    'a wait without time',
    { op: 'wait', table: 'Root', timeout: 0, where: [], columns: ['n'], until: '==', rows: [] },
    'timed out',
  ],
]

test.each(failures)('%s: the error stands in its place, null behind it', (_name, operation, error) => {
  const lab = family()
  const before = lab.database
  const results = lab.run({ op: 'comment', comment: 'c' }, operation, { op: 'comment', comment: 'd' })
  expect(results).toEqual([{}, expect.objectContaining({ error }), null])
  expect(lab.database).toBe(before)
})

describe('conditions', () => {
  const found = (...where: Json[]) => {
    const [result] = family().run({ op: 'select', table: 'Root', where, columns: ['name'], sort: ['name'] })
    return (result as { rows: { name: string }[] }).rows.map(({ name }) => name).join('')
  }

  test.each([
    ['', 'ab'],
    [['n', '==', 5], 'b'],
    [['n', '!=', 5], 'a'],
    [['n', '<', 5], 'a'],
    [['n', '<=', 5], 'ab'],
    [['n', '>', 0], 'b'],
    [['n', '>=', 0], 'ab'],
    [['n', 'includes', 5], 'b'],
    [['set', 'includes', ['set', [1]]], 'b'],
    [['set', 'includes', ['set', []]], 'ab'],
    [['set', 'excludes', ['set', [1, 2]]], 'a'],
    [['set', '==', ['set', [1, 3]]], 'b'],
    [['_uuid', '==', ref(2)], 'b'],
    [['name', '==', 'a'], 'a'],
    [true, 'ab'],
    [false, ''],
  ])('%j', (where, names) => {
    expect(found(...(where === '' ? [] : [where as Json]))).toBe(names)
  })

  test('every one must hold', () => {
    expect(found(['name', '==', 'a'], ['n', '==', 5])).toBe('')
  })

  test('see what the transaction itself did, by index too', () => {
    const lab = family()
    expect(
      lab.run(
        { op: 'update', table: 'Root', where: [['name', '==', 'a']], row: { name: 'z' } },
        { op: 'select', table: 'Root', where: [['name', '==', 'a']], columns: ['name'] },
        { op: 'select', table: 'Root', where: [['name', '==', 'z']], columns: ['name'] },
        { op: 'update', table: 'Root', where: [['name', '==', 'b']], row: { name: 'a' } },
        { op: 'select', table: 'Root', where: [['name', '==', 'a']], columns: ['_uuid'] },
      ),
    ).toEqual([
      { count: 1 },
      { rows: [] },
      { rows: [{ name: 'z' }] },
      { count: 1 },
      { rows: [{ _uuid: ref(2) }] },
    ])
  })
})

describe('mutations', () => {
  const mutated = (...mutations: Json[]) => {
    const lab = family()
    const results = lab.run({ op: 'mutate', table: 'Root', where: [['name', '==', 'b']], mutations })
    expect(results).toEqual([{ count: 1 }])
    const [result] = lab.run({ op: 'select', table: 'Root', where: [['name', '==', 'b']] })
    return (result as { rows: Json[] }).rows[0]
  }

  test.each([
    [[['n', '+=', 2]], { n: 7 }],
    [[['n', '-=', 2]], { n: 3 }],
    [[['n', '*=', 2]], { n: 10 }],
    [[['n', '/=', 2]], { n: 2 }],
    [[['n', '%=', 2]], { n: 1 }],
    [[['real', '+=', 0.5]], { real: 0.5 }],
    [[['set', '+=', 1]], { set: ['set', [2, 4]] }],
    [[['set', 'insert', 2]], { set: ['set', [1, 2, 3]] }],
    [[['set', 'delete', ['set', [1, 7]]]], { set: 3 }],
    [
      [
        ['map', 'insert', ['map', [['a', '1']]]],
        [
          'map',
          'insert',
          [
            'map',
            [
              ['a', '2'],
              ['b', '2'],
            ],
          ],
        ],
      ],
      {
        map: [
          'map',
          [
            ['a', '1'],
            ['b', '2'],
          ],
        ],
      },
    ],
    [
      [
        [
          'map',
          'insert',
          [
            'map',
            [
              ['a', '1'],
              ['b', '2'],
              ['c', '3'],
            ],
          ],
        ],
        [
          'map',
          'delete',
          [
            'map',
            [
              ['a', '1'],
              ['b', 'x'],
            ],
          ],
        ],
        ['map', 'delete', ['set', ['c']]],
      ],
      { map: ['map', [['b', '2']]] },
    ],
  ] as [Json[], object][])('%j', (mutations, row) => {
    expect(mutated(...mutations)).toMatchObject(row)
  })
})

test('a change gives the row a new version, no change none', () => {
  const lab = family()
  const version = () => lab.rows('Root', '_version')
  const before = version()
  lab.run(
    { op: 'update', table: 'Root', where: [], row: { n: 5 } },
    { op: 'update', table: 'Root', where: [['name', '==', 'a']], row: { n: 0 } },
  )
  expect(version()).toEqual(before)
  lab.run({ op: 'update', table: 'Root', where: [], row: { n: 6 } })
  expect(version()).not.toEqual(before)
})

test('a row may be named before it is inserted', () => {
  const lab = new Lab()
  lab.run(
    { op: 'insert', table: 'Root', row: { name: 'a', children: named('c') } },
    { op: 'insert', table: 'Child', 'uuid-name': 'c', row: { label: 'x' } },
  )
  expect(lab.rows('Child', 'label')).toEqual([{ label: 'x' }])
  const twice = { op: 'insert', table: 'Child', 'uuid-name': 'c', row: {} }
  expect(lab.run(twice, twice)).toMatchObject([{}, { error: 'duplicate uuid-name' }])
})

test('rows may swap what is unique', () => {
  const lab = family()
  const rename = (from: number, to: string): Json => ({
    op: 'update',
    table: 'Root',
    where: [['_uuid', '==', ref(from)]],
    row: { name: to },
  })
  expect(lab.run(rename(1, 'b'), rename(2, 'a'))).toEqual([{ count: 1 }, { count: 1 }])
})

test('an unsatisfied wait says how long it may take, and times out when it has', () => {
  const lab = family()
  const wait = {
    op: 'wait',
    table: 'Root',
    timeout: 50,
    where: [],
    columns: ['n'],
    until: '==',
    rows: [{ n: 9 }],
  }
  const env = { newUuid: () => uuid(1) }
  expect(transact(lab.database, [wait], env)).toEqual({ status: 'waiting', timeout: 50 })
  expect(transact(lab.database, [wait], { ...env, elapsed: 50 })).toMatchObject({
    results: [{ error: 'timed out', details: '"wait" timed out after 50 ms' }],
  })
  lab.run({ op: 'update', table: 'Root', where: [], row: { n: 9 } })
  expect(lab.run(wait)).toEqual([{}])
})

test('a durable commit, comments and a lock that is held', () => {
  const outcome = new Lab().done(
    [
      { op: 'assert', lock: 'mine' },
      { op: 'comment', comment: 'one' },
      { op: 'comment', comment: 'two' },
      { op: 'commit', durable: true },
    ],
    { holdsLock: (name) => name === 'mine' },
  )
  expect(outcome).toMatchObject({
    results: [{}, {}, {}, {}],
    durable: true,
    comment: 'one\ntwo',
    changes: [],
  })
})

test('a server that takes no changes', () => {
  const lab = family()
  const { results } = lab.done([insert('Root', { name: 'x' })], { readOnly: true })
  expect(results).toEqual([
    {
      error: 'not allowed',
      details: 'insert operation not allowed when database server is in read only mode',
    },
  ])
})

test('whatever is asked for, every operation has an answer and an error changes nothing', () => {
  const any = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>,
    fc.constantFrom<Json>(
      'Root',
      ['name', '==', 'a'],
      [['n', '+=', 1]],
      { name: 'x' },
      ref(1),
      [],
      2n ** 62n,
    ),
  )
  const names = [
    'table',
    'where',
    'row',
    'rows',
    'columns',
    'mutations',
    'until',
    'uuid',
    'uuid-name',
    'timeout',
  ]
  const ops = [
    'insert',
    'select',
    'update',
    'mutate',
    'delete',
    'wait',
    'commit',
    'abort',
    'comment',
    'assert',
  ]
  const operation = fc.record(
    {
      op: fc.constantFrom(...ops),
      ...Object.fromEntries(names.map((name) => [name, any])),
      table: fc.constantFrom('Root', 'Child'),
    },
    { requiredKeys: ['op', 'table'] },
  ) as fc.Arbitrary<Json>
  fc.assert(
    fc.property(fc.array(fc.oneof(operation, any), { maxLength: 4 }), (operations) => {
      const { database } = family()
      const outcome = transact(database, operations, { newUuid: () => uuid(1) })
      if (outcome.status !== 'done') return
      const { results, changes } = outcome
      expect([operations.length, operations.length + 1]).toContain(results.length)
      const failed = results.some((result) => result !== null && Object.hasOwn(result as object, 'error'))
      if (failed) expect([outcome.database === database, changes]).toEqual([true, []])
    }),
    { numRuns: 1000 },
  )
})
