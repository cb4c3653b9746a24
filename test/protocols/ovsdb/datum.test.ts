import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Atom, type AtomicType, atomText, compareAtoms } from '../../../protocols/ovsdb/atom.ts'
import { type ColumnType, columnTypeToJson, parseColumnType } from '../../../protocols/ovsdb/column-type.ts'
import { type Datum, datumOf, equalDatums, indexOfKey } from '../../../protocols/ovsdb/datum.ts'
import { datumToJson, parseDatum } from '../../../protocols/ovsdb/datum-json.ts'
import { integer } from '../../../protocols/ovsdb/json-value.ts'

const atoms: { readonly [T in AtomicType]: fc.Arbitrary<Atom> } = {
  integer: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(integer),
  real: fc.double({ noNaN: true, noDefaultInfinity: true }).map((real) => real + 0),
  boolean: fc.boolean(),
  string: fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
  uuid: fc.uuid(),
}

const typedDatum = fc
  .record({
    key: fc.constantFrom(...(Object.keys(atoms) as AtomicType[])),
    value: fc.option(fc.constantFrom(...(Object.keys(atoms) as AtomicType[])), { nil: undefined }),
  })
  .chain(({ key, value }) => {
    const type: ColumnType = {
      key: { type: key },
      ...(value === undefined ? {} : { value: { type: value } }),
      min: 0,
      max: Number.POSITIVE_INFINITY,
    }
    const pairs = fc.uniqueArray(fc.tuple(atoms[key], value === undefined ? fc.constant(0) : atoms[value]), {
      selector: ([k]) => k,
      comparator: 'SameValueZero',
      maxLength: 12,
    })
    return fc.tuple(fc.constant(type), pairs)
  })
  .map(([type, pairs]): [ColumnType, Datum] => [
    type,
    datumOf(
      pairs.map(([key]) => key),
      type.value === undefined ? undefined : pairs.map(([, value]) => value),
    ),
  ])

test('a datum survives JSON', () => {
  fc.assert(
    fc.property(typedDatum, ([type, datum]) => {
      expect(equalDatums(parseDatum(datumToJson(datum, type), type), datum)).toBe(true)
    }),
  )
})

test('every key of a datum is found, in ascending order, and no other', () => {
  fc.assert(
    fc.property(typedDatum, ([type, datum]) => {
      expect(datum.keys.map((key) => indexOfKey(datum, key))).toEqual(datum.keys.map((_, i) => i))
      if (type.key.type === 'integer') expect(indexOfKey(datum, 0.5)).toBe(-1)
    }),
  )
})

test('strings are in the order of their UTF-8 bytes', () => {
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareAtoms(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

describe('what is no value of its type is refused with the reason', () => {
  test.each([
    ['integer', 1.5, 'syntax "1.5": syntax error: expected integer'],
    ['boolean', 'true', 'syntax ""true"": syntax error: expected boolean'],
    ['string', 1, 'syntax "1": syntax error: expected string'],
    ['uuid', 'x', 'syntax ""x"": syntax error: expected ["uuid", <string>]'],
    ['uuid', ['uuid', 'x'], 'syntax "["uuid","x"]": syntax error: "x" is not a valid UUID'],
    ['uuid', ['named-uuid', 'x'], 'syntax "["named-uuid","x"]": syntax error: expected ["uuid", <string>]'],
    [
      { key: { type: 'integer', minInteger: 1, maxInteger: 3 } },
      4,
      'constraint violation: 4 is not in the valid range 1 to 3 (inclusive)',
    ],
    [
      { key: { type: 'real', minReal: 0.5 } },
      0.25,
      'constraint violation: 0.25 is less than minimum allowed value 0.5',
    ],
    [
      { key: { type: 'integer', maxInteger: 3 } },
      4,
      'constraint violation: 4 is greater than maximum allowed value 3',
    ],
    [
      { key: { type: 'string', minLength: 2 } },
      'x',
      'constraint violation: "x" length 1 is less than minimum allowed length 2',
    ],
    [
      { key: { type: 'string', maxLength: 1 } },
      '\u{1f600}a',
      'constraint violation: "\u{1f600}a" length 2 is greater than maximum allowed length 1',
    ],
    [
      { key: { type: 'string', enum: ['set', ['b', 'a c']] } },
      'd',
      'constraint violation: d is not one of the allowed values (["a c", b])',
    ],
    [
      { key: 'integer', min: 0, max: 2 },
      ['set', [1, 2, 3]],
      'syntax "["set",[1,2,3]]": syntax error: set must have 0 to 2 members but 3 are present',
    ],
    [
      'integer',
      ['set', []],
      'syntax "["set",[]]": syntax error: set must have exactly one member but 0 are present',
    ],
    [{ key: 'integer', max: 2 }, ['set', [1, 1]], 'ovsdb error: set contains duplicate'],
    [
      { key: 'string', value: 'string', min: 0, max: 'unlimited' },
      [
        'map',
        [
          ['a', 'b'],
          ['a', 'c'],
        ],
      ],
      'ovsdb error: map contains duplicate key',
    ],
    [
      { key: 'string', value: 'string', min: 0, max: 'unlimited' },
      ['map', [['a']]],
      'syntax "["a"]": syntax error: expected 2-element array',
    ],
    [
      { key: 'string', value: 'string', min: 0, max: 'unlimited' },
      'a',
      'syntax ""a"": syntax error: expected ["map", <array>]',
    ],
  ] as const)('%j of %j', (type, json, message) => {
    expect(() => parseDatum(json, parseColumnType(type))).toThrow(message)
  })
})

test('an integer has 64 bits', () => {
  const type = parseColumnType('integer')
  expect(parseDatum(2n ** 63n - 1n, type)).toEqual({ keys: [2n ** 63n - 1n] })
  expect(() => parseDatum(2n ** 63n, type)).toThrow('syntax "9223372036854775808": syntax error')
})

test('a set of one may be written as its element', () => {
  const type = parseColumnType({ key: 'integer', min: 0, max: 3 })
  expect(parseDatum(7, type)).toEqual({ keys: [7] })
  expect(parseDatum(['set', [7]], type)).toEqual({ keys: [7] })
  expect(datumToJson({ keys: [7] }, type)).toBe(7)
})

test('names stand for UUIDs where there are names', () => {
  const uuid = '01234567-89ab-cdef-0123-456789abcdef'
  const names = { uuidOf: (name: string) => (name === 'row' ? uuid : 'no such name') }
  expect(parseDatum(['named-uuid', 'row'], parseColumnType('uuid'), names)).toEqual({ keys: [uuid] })
})

test('reals have fifteen digits in texts, strings have quotes where they need them', () => {
  const real = (x: number) => atomText(x, 'real')
  expect([0, 1 / 3, 1e14, 1e15, 1.5e-5, -2e100, 123456].map(real)).toEqual([
    '0',
    '0.333333333333333',
    '100000000000000',
    '1e+15',
    '1.5e-05',
    '-2e+100',
    '123456',
  ])
  const text = (x: string) => atomText(x, 'string')
  expect(['a', 'a-b.c', 'a b', '', 'true', '1', '01234567-89ab-cdef-0123-456789abcdef'].map(text)).toEqual([
    'a',
    'a-b.c',
    '"a b"',
    '""',
    '"true"',
    '"1"',
    '"01234567-89ab-cdef-0123-456789abcdef"',
  ])
})

describe('types', () => {
  test.each([
    'integer',
    { key: { type: 'integer', minInteger: 0, maxInteger: 4095 }, min: 0 },
    { key: 'string', value: 'string', min: 0, max: 'unlimited' },
    { key: { type: 'uuid', refTable: 'T' }, min: 0, max: 2 },
    { key: { type: 'uuid', refTable: 'T', refType: 'weak' } },
    { key: { type: 'string', enum: ['set', ['a', 'b']] } },
    { key: { type: 'string', enum: 'a' } },
    { key: { type: 'string', minLength: 1, maxLength: 2 } },
    { key: { type: 'real', minReal: -1.5, maxReal: 2 } },
  ])('%j', (json) => {
    expect(columnTypeToJson(parseColumnType(json))).toEqual(json)
  })

  test.each([
    ['float', '"float" is not an atomic-type'],
    [{ key: { type: 'integer', minInteger: 2, maxInteger: 1 } }, 'minInteger exceeds maxInteger'],
    [{ key: 'integer', min: 2, max: 3 }, 'ovsdb type fails constraint checks'],
    [{ key: 'integer', max: 'many' }, 'bad min or max value'],
    [
      { key: { type: 'uuid', refTable: 'T', refType: 'soft' } },
      'refType must be "strong" or "weak" (not "soft")',
    ],
    [{ key: { type: 'string', minInteger: 1 } }, "Member 'minInteger' is present but not allowed here."],
    [{ key: 'string', a: 1, b: 2 }, "Member 'a' and 1 other member are present but not allowed here."],
    [{ value: 'string' }, "Required 'key' member is missing."],
    [{ key: 5 }, "Type mismatch for member 'key'."],
    [7, 'ovsdb type expected'],
  ])('%j is none', (json, message) => {
    expect(() => parseColumnType(json)).toThrow(message)
  })
})
