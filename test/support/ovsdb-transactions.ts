/** A schema that has every kind of column and constraint, and transactions on it: most go well, many do not. */

import fc from 'fast-check'
import type { Json, JsonObject } from '../../protocols/ovsdb/json-text.ts'

const ref = (table: string, refType = 'strong') => ({ type: 'uuid', refTable: table, refType })
const set = (key: Json, max: Json = 'unlimited', min = 0): Json => ({ type: { key, min, max } })
const map = (key: Json, value: Json, max: Json = 'unlimited'): Json => ({ type: { key, value, min: 0, max } })

export const TRIAL_SCHEMA: JsonObject = {
  name: 'Trial',
  version: '1.0.0',
  tables: {
    Root: {
      isRoot: true,
      columns: {
        name: { type: { key: { type: 'string', minLength: 1, maxLength: 3 } } },
        number: { type: { key: { type: 'integer', minInteger: 0, maxInteger: 20 } } },
        real: { type: { key: { type: 'real', minReal: -10, maxReal: 10.5 } } },
        flag: { type: 'boolean' },
        choice: { type: { key: { type: 'string', enum: ['set', ['', 'red', 'dark blue']] } } },
        maybe: set({ type: 'integer', maxInteger: 9 }, 1),
        numbers: set('integer', 3),
        reals: set('real'),
        words: set('string', 'unlimited'),
        texts: map('string', 'string'),
        levels: map('integer', 'real', 3),
        once: { type: 'string', mutable: false },
        passing: { type: 'string', ephemeral: true },
        children: set(ref('Child')),
        favorite: set(ref('Child', 'weak'), 1),
        known: set(ref('Child', 'weak')),
        named: map('string', ref('Child', 'weak')),
        counted: map(ref('Child'), 'integer'),
      },
      indexes: [['name'], ['number', 'flag']],
    },
    Child: {
      columns: {
        label: { type: 'string' },
        next: set(ref('Child'), 1),
        parent: set(ref('Root', 'weak'), 1),
      },
    },
    Pin: {
      isRoot: true,
      columns: { child: { type: { key: ref('Child', 'weak') } } },
    },
    Clip: {
      isRoot: true,
      columns: { children: set(ref('Child', 'weak'), 2, 1) },
    },
    Few: {
      isRoot: true,
      maxRows: 2,
      columns: { n: { type: 'integer' } },
      indexes: [['n']],
    },
  },
}

/** Few rows, so that they meet. */
const UUIDS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  ['Root', 'Child', 'Pin', 'Clip', 'Few'].map((table, t) => [
    table,
    Array.from({ length: 5 }, (_, i) => `${t + 1}000000${i}-1111-4222-8333-444444444444`),
  ]),
)

const uuidOf = (table: string): fc.Arbitrary<Json> =>
  fc.constantFrom(...UUIDS[table]).map((uuid): Json => ['uuid', uuid])

const number = fc.integer({ min: 0, max: 6 })
const real = fc.constantFrom(0, 0.5, -2, 10.5, -7.25)
const word = fc.constantFrom('', 'a', 'b', 'red', 'dark blue', 'long', 'ü', '😀', '"')
const setOf = (atom: fc.Arbitrary<Json>, max = 3, min = 0): fc.Arbitrary<Json> =>
  fc.oneof(
    atom,
    fc
      .uniqueArray(atom, { minLength: min, maxLength: max, selector: (a) => JSON.stringify(a) })
      .map((atoms): Json => ['set', atoms]),
  )
const mapOf = (key: fc.Arbitrary<Json>, value: fc.Arbitrary<Json>): fc.Arbitrary<Json> =>
  fc
    .uniqueArray(fc.tuple(key, value), { maxLength: 3, selector: ([k]) => JSON.stringify(k) })
    .map((pairs): Json => ['map', pairs])

/** Of each column values that it can have; whether the rows that they refer to exist is another question. */
const VALUES: Readonly<Record<string, Readonly<Record<string, fc.Arbitrary<Json>>>>> = {
  Root: {
    name: fc.constantFrom('a', 'b', 'c', 'abc'),
    number,
    real,
    flag: fc.boolean(),
    choice: fc.constantFrom('', 'red', 'dark blue'),
    maybe: setOf(number, 1),
    numbers: setOf(number),
    reals: setOf(real),
    words: setOf(word),
    texts: mapOf(word, word),
    levels: mapOf(number, real),
    once: word,
    passing: word,
    children: setOf(uuidOf('Child')),
    favorite: setOf(uuidOf('Child'), 1),
    known: setOf(uuidOf('Child')),
    named: mapOf(word, uuidOf('Child')),
    counted: mapOf(uuidOf('Child'), number),
  },
  Child: { label: word, next: setOf(uuidOf('Child'), 1), parent: setOf(uuidOf('Root'), 1) },
  Pin: { child: uuidOf('Child') },
  Clip: { children: setOf(uuidOf('Child'), 2, 1) },
  Few: { n: number },
}

/** Values that most columns cannot have. */
const odd: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(
    -3,
    21,
    2 ** 40,
    1.5,
    11,
    'long',
    '',
    true,
    null,
    {},
    [],
    ['set', []],
    ['set', [1, 2, 3, 4]],
    ['set', [1, 1]],
    ['set', [1, 'a']],
    ['set', 1],
    ['map', []],
    ['map', [['a']]],
    [
      'map',
      [
        ['a', 'b'],
        ['a', 'b'],
      ],
    ],
    [
      'map',
      [
        [1, 0.5],
        [2, 0.5],
        [3, 0.5],
        [4, 0.5],
      ],
    ],
    ['uuid', 'nonsense'],
    ['uuid', '00000000-0000-0000-0000-000000000000'],
    ['named-uuid', 'a'],
    ['named-uuid', 'not an id'],
  ),
  fc.constantFrom(...Object.values(VALUES.Root)).chain((values) => values),
)

const tables = Object.keys(VALUES)
export const TRIAL_COLUMNS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  tables.map((table) => [table, Object.keys(VALUES[table])]),
)

const tableName = fc.oneof(
  { weight: 4, arbitrary: fc.constant('Root') },
  { weight: 3, arbitrary: fc.constant('Child') },
  fc.constantFrom('Pin', 'Clip', 'Few'),
)

const valueFor = (name: string, column: string): fc.Arbitrary<Json> =>
  fc.oneof({ weight: 30, arbitrary: VALUES[name][column] }, { weight: 1, arbitrary: odd })

/**
 * A row, of which one value at most may be wrong: which of several errors is told depends on the order in which
 * a server looks at an object's members.
 */
const rowOf = (name: string, most: number): fc.Arbitrary<JsonObject> =>
  fc
    .tuple(
      fc.uniqueArray(fc.constantFrom(...TRIAL_COLUMNS[name]), { maxLength: most }),
      fc.integer({ min: 0, max: 7 }),
    )
    .chain(([columns, spoiled]) =>
      fc.record(Object.fromEntries(columns.map((c, i) => [c, i === spoiled ? odd : VALUES[name][c]]))),
    )

const clause = (name: string): fc.Arbitrary<Json> =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(...UUIDS[name]).map((uuid): Json => ['_uuid', '==', ['uuid', uuid]]),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(
          fc.constantFrom(...TRIAL_COLUMNS[name]),
          fc.oneof(
            { weight: 8, arbitrary: fc.constantFrom('==', '!=', 'includes', 'excludes') },
            fc.constantFrom('<', '<=', '>', '>=', '=~'),
          ),
        )
        .chain(([column, fn]) => valueFor(name, column).map((value): Json => [column, fn, value])),
    },
    { weight: 1, arbitrary: fc.constantFrom<Json>(true, false, ['nothing', '==', 1]) },
  )
const where = (name: string): fc.Arbitrary<Json> => fc.array(clause(name), { maxLength: 2 })

const mutation = (name: string): fc.Arbitrary<Json> =>
  fc
    .tuple(
      fc.constantFrom(...TRIAL_COLUMNS[name]),
      fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom('insert', 'delete') },
        fc.constantFrom('+=', '-=', '*=', '/=', '%=', '^='),
      ),
    )
    .chain(([column, mutator]) =>
      fc
        .oneof({ weight: 4, arbitrary: valueFor(name, column) }, setOf(number), setOf(word))
        .map((value): Json => [column, mutator, value]),
    )

/** A new row is given what makes it differ from others, so that many are taken. */
const newRow = (name: string): fc.Arbitrary<JsonObject> => {
  const row = rowOf(name, 4)
  if (name !== 'Root') return row
  const { name: called, number: numbered } = VALUES.Root
  return fc.tuple(called, numbered, row).map(([name, number, rest]) => ({ name, number, ...rest }))
}

type Members = Readonly<Record<string, fc.Arbitrary<Json>>>
const operation = (op: string, members: Members): fc.Arbitrary<JsonObject> =>
  fc.record<Record<string, Json>>({ op: fc.constant(op), ...members })

/** Few columns of the table, or `_uuid`. */
const someColumns = (name: string): fc.Arbitrary<Json> =>
  fc.uniqueArray(fc.constantFrom('_uuid', ...TRIAL_COLUMNS[name]), { maxLength: 4 })

export const trialOperation: fc.Arbitrary<JsonObject> = tableName.chain((name) => {
  const table = fc.constant(name)
  const uuid = fc.constantFrom(...UUIDS[name])
  return fc.oneof(
    { weight: 10, arbitrary: operation('insert', { table, uuid, row: newRow(name) }) },
    {
      weight: 1,
      arbitrary: operation('insert', {
        table,
        uuid,
        'uuid-name': fc.constantFrom('a', 'b'),
        row: newRow(name),
      }),
    },
    { weight: 5, arbitrary: operation('update', { table, where: where(name), row: rowOf(name, 3) }) },
    {
      weight: 5,
      arbitrary: operation('mutate', {
        table,
        where: where(name),
        mutations: fc.array(mutation(name), { maxLength: 2 }),
      }),
    },
    { weight: 2, arbitrary: operation('delete', { table, where: where(name) }) },
    { weight: 3, arbitrary: operation('select', { table, where: where(name), columns: someColumns(name) }) },
    {
      weight: 1,
      arbitrary: operation('wait', {
        timeout: fc.constant(0),
        table,
        where: where(name),
        columns: someColumns(name),
        until: fc.constantFrom('==', '!='),
        rows: fc.array(rowOf(name, 2), { maxLength: 2 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<JsonObject>(
        { op: 'abort' },
        { op: 'comment', comment: 'c' },
        { op: 'commit', durable: false },
        { op: 'assert', lock: 'l' },
        { op: 'select', table: name },
        { op: 'select', table: 'Nowhere', where: [] },
        { op: 'insert', table: name, row: {}, extra: 1 },
        { op: 'jump' },
      ),
    },
  )
})

/** A condition for a monitor. */
export const trialCondition = (name: string): fc.Arbitrary<Json> => fc.array(clause(name), { maxLength: 2 })

export const trialTransaction: fc.Arbitrary<readonly JsonObject[]> = fc.array(trialOperation, {
  minLength: 1,
  maxLength: 5,
})
