import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Database, emptyDatabase } from '../../../protocols/ovsdb/database.ts'
import type { Json, JsonObject } from '../../../protocols/ovsdb/json-text.ts'
import {
  formatRecord,
  frameRecord,
  frameText,
  hasRecordAfter,
  type RecordCodec,
  readRecord,
} from '../../../protocols/ovsdb/log-record.ts'
import { databaseRecord, replayRecord, transactionRecord } from '../../../protocols/ovsdb/log-transaction.ts'
import { snapshotDifference } from '../../../protocols/ovsdb/replica.ts'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { transact } from '../../../protocols/ovsdb/transact.ts'

const CODEC: RecordCodec = {
  sha1: (data) => createHash('sha1').update(data).digest('hex'),
  byteLength: (text) => Buffer.byteLength(text),
  encode: (text) => new TextEncoder().encode(text),
  decode: (bytes) => Buffer.from(bytes).toString(),
}

/** Every kind of column. */
const SCHEMA = parseSchema({
  name: 'test',
  version: '1.0.0',
  tables: {
    t: {
      isRoot: true,
      columns: {
        text: { type: 'string' },
        number: { type: { key: 'integer', min: 0 } },
        reals: { type: { key: 'real', min: 0, max: 'unlimited' } },
        map: { type: { key: 'string', value: 'integer', min: 0, max: 'unlimited' } },
        ref: { type: { key: { type: 'uuid', refTable: 't', refType: 'weak' }, min: 0, max: 'unlimited' } },
        lost: { type: 'integer', ephemeral: true },
      },
    },
  },
})

let counter = 0
const newUuid = () => `00000000-0000-4000-8000-${(++counter).toString(16).padStart(12, '0')}`

const integer = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.bigInt({ min: 2n ** 60n, max: 2n ** 60n + 2n }))
const row = fc.record(
  {
    text: fc.constantFrom('', 'a', 'ü\n', '\\u0041'),
    number: fc.oneof(fc.constant(['set', []] as Json), integer),
    reals: fc.uniqueArray(fc.constantFrom(0, 0.1, 1, 1e300, -2.5)).map((reals): Json => ['set', reals]),
    map: fc
      .dictionary(fc.constantFrom('', 'a', 'b', 'c'), integer)
      .map((m): Json => ['map', Object.entries(m)]),
    lost: fc.integer(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>

/** Operations on rows that are told apart by their text. */
const operation: fc.Arbitrary<Json> = fc.oneof(
  row.map((r) => ({ op: 'insert', table: 't', row: r })),
  fc.record({
    op: fc.constant('update'),
    table: fc.constant('t'),
    where: fc.constantFrom<Json>([], [['text', '==', 'a']]),
    row,
  }),
  fc.record({
    op: fc.constant('mutate'),
    table: fc.constant('t'),
    where: fc.constantFrom<Json>([], [['text', '==', '']]),
    mutations: fc.constantFrom<Json>(
      [['map', 'insert', ['map', [['z', 1]]]]],
      [['map', 'delete', ['set', ['a', 'b']]]],
      [['reals', 'insert', ['set', [7, 8]]]],
    ),
  }),
  fc.constant({ op: 'delete', table: 't', where: [['text', '==', 'a']] }),
)

/** What outlives the process. */
function withoutEphemeral(database: Database): Database {
  const table = database.tables.get('t')!
  const rows = table.rows.edit()
  for (const r of table.rows.values())
    rows.set(r.uuid, { ...r, columns: { ...r.columns, lost: { keys: [0] } } })
  return { ...database, tables: database.tables.with([{ ...table, rows: rows.done() }]) }
}

function reread(text: string): JsonObject {
  return readRecord(frameText(text, CODEC), 0, 'f', CODEC).json
}

test('transactions replayed make the same database, one by one and as a whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(operation, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
      fc.boolean(),
      (transactions, isDiff) => {
        let database = emptyDatabase(SCHEMA)
        let replayed = emptyDatabase(SCHEMA)
        for (const operations of transactions) {
          const done = transact(database, operations as Json[], { newUuid })
          if (done.status !== 'done') throw new Error('nothing waits')
          database = done.database
          const record = transactionRecord(database, done.changes, 1234.5, done.comment, isDiff)
          if (record !== undefined) replayed = replayRecord(replayed, reread(record), newUuid).database
          expect(snapshotDifference(withoutEphemeral(database), replayed)).toEqual([])
        }
        const body = CODEC.encode([...databaseRecord(database, 1, 'all')].join(''))
        const whole = readRecord(frameRecord(body, CODEC), 0, 'f', CODEC).json
        expect(whole).toMatchObject({ _comment: 'all', _date: 1 })
        const again = replayRecord(emptyDatabase(SCHEMA), whole, newUuid).database
        expect(snapshotDifference(withoutEphemeral(database), again)).toEqual([])
      },
    ),
    { numRuns: 200 },
  )
})

describe('a record', () => {
  const uuid = '00000000-0000-4000-8000-00000000000a'
  const base = replayRecord(
    emptyDatabase(SCHEMA),
    { t: { [uuid]: { map: ['map', [['a', 1]]] } } },
    newUuid,
  ).database
  const mapOf = (database: Database) => database.tables.get('t')!.rows.get(uuid)!.columns.map

  test('of old has new values, one of today differences', () => {
    const change: JsonObject = { t: { [uuid]: { map: ['map', [['b', 2]]] } }, _date: 1 }
    expect(mapOf(replayRecord(base, change, newUuid).database)).toEqual({ keys: ['b'], values: [2] })
    const difference = { ...change, _is_diff: true }
    expect(mapOf(replayRecord(base, difference, newUuid).database)).toEqual({
      keys: ['a', 'b'],
      values: [1, 2],
    })
  })

  test.each<[JsonObject, string]>([
    [{ u: {} }, 'unknown table: No table named u.'],
    [{ t: { x: {} } }, 'syntax error: "x" is not a valid UUID'],
    [{ t: { [uuid]: { nix: 1 } } }, 'unknown column: No column nix in table t.'],
    [
      { t: { [uuid.replace('a', 'b')]: null } },
      'row 00000000-0000-4000-8000-00000000000b that does not exist',
    ],
    [{ t: [] }, 'object expected'],
  ])('%j is refused', (record, message) => {
    expect(() => replayRecord(base, record, newUuid)).toThrow(message)
    if (message.startsWith('unknown')) expect(replayRecord(base, record, newUuid, true).database).toBe(base)
  })

  const bytes = formatRecord({ a: 1 }, CODEC)
  const read = (b: Uint8Array) => () => readRecord(b, 0, 'f', CODEC)

  test('is framed as Open vSwitch does it', () => {
    expect(CODEC.decode(bytes)).toBe('OVSDB JSON 8 8a3d961f7fe8ef7b41d461059884a9461be85059\n{"a":1}\n')
  })

  test('that is cut anywhere, or has any byte changed, is told from a whole one', () => {
    for (let end = 1; end < bytes.length; end++) expect(read(bytes.subarray(0, end))).toThrow(/syntax|I\/O/)
    for (let i = 0; i < bytes.length; i++) {
      const wrong = bytes.slice()
      wrong[i] ^= 4
      expect(read(wrong)).toThrow(/syntax|I\/O/)
    }
  })

  test('behind one that cannot be read is found', () => {
    const half = bytes.subarray(0, 60)
    expect(hasRecordAfter(half, 0, 'f', CODEC)).toBe(false)
    expect(hasRecordAfter(Buffer.concat([half, CODEC.encode('\n'), bytes]), 0, 'f', CODEC)).toBe(true)
    expect(hasRecordAfter(Buffer.concat([half, CODEC.encode('\n'), bytes.subarray(1)]), 0, 'f', CODEC)).toBe(
      false,
    )
  })

  test.each([
    [
      'OVSDB CLUSTER 8 0000000000000000000000000000000000000000\n',
      'parse error at offset 0 in header line "OVSDB CLUSTER 8',
    ],
    ['OVSDB JSON 0 0000000000000000000000000000000000000000\n', 'parse error'],
    ['hello\n', 'parse error at offset 0 in header line "hello"'],
  ])('%s', (text, message) => {
    expect(read(CODEC.encode(text))).toThrow(message)
  })
})
