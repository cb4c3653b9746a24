import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../protocols/ovsdb/json-text.ts'
import { findColumn, parseSchema, schemaToJson } from '../../../protocols/ovsdb/schema.ts'
import { schemaOfText, schemaText } from '../../../protocols/ovsdb/schema-text.ts'

const table = (columns: Json, more = {}) => ({ name: 'db', tables: { T: { columns, ...more } } })

test("Open vSwitch's schema survives", () => {
  const json = JSON.parse(readFileSync('/usr/share/openvswitch/vswitch.ovsschema', 'utf8'))
  const schema = parseSchema(json)
  expect(schema.tables.size).toBe(Object.keys(json.tables).length)
  expect(parseSchema(schemaToJson(schema))).toEqual(schema)
})

test('without any root table all are', () => {
  const { tables } = parseSchema({ name: 'db', tables: { A: { columns: { x: { type: 'string' } } } } })
  expect(tables.get('A')!.isRoot).toBe(true)
})

test('every table has a _uuid and a _version', () => {
  const schema = parseSchema(table({ x: { type: 'string' } })).tables.get('T')!
  expect(findColumn(schema, '_uuid')!.mutable).toBe(false)
  expect(findColumn(schema, '_version')!.ephemeral).toBe(true)
  expect(findColumn(schema, 'y')).toBeUndefined()
})

test('a weak reference is mutable, a strong one to a table that is no root is kept', () => {
  const ref = (refType: string) => ({ key: { type: 'uuid', refTable: 'U', refType } })
  const { tables } = parseSchema({
    name: 'db',
    tables: {
      T: {
        isRoot: true,
        columns: {
          weak: { type: ref('weak'), mutable: false },
          strong: { type: ref('strong'), ephemeral: true },
        },
      },
      U: { columns: { x: { type: 'string' } } },
    },
  })
  expect(tables.get('T')!.columns.get('weak')!.mutable).toBe(true)
  expect(tables.get('T')!.columns.get('strong')!.ephemeral).toBe(false)
})

describe('what is no schema is refused with the reason', () => {
  test.each([
    [{ tables: {} }, "Required 'name' member is missing."],
    [{ name: 'a-b', tables: {} }, "Type mismatch for member 'name'."],
    [{ name: 'db', version: '1.2', tables: {} }, 'schema version "1.2" not in format x.y.z'],
    [table({}), 'table must have at least one column'],
    [table({ _x: { type: 'string' } }), 'names beginning with "_" are reserved'],
    [table({ 'x-y': { type: 'string' } }), 'name must be a valid id'],
    [table({ x: { type: 'string' } }, { maxRows: 0 }), 'maxRows must be at least 1'],
    [table({ x: { type: 'string' } }, { indexes: [[]] }), 'index must have at least one column'],
    [table({ x: { type: 'string' } }, { indexes: [['y']] }), 'y is not a valid column name'],
    [table({ x: { type: 'string' } }, { indexes: [['x', 'x']] }), 'array of distinct column names expected'],
    [
      table({ x: { type: 'string', ephemeral: true } }, { indexes: [['x']] }),
      'ephemeral columns (such as x) may not be indexed',
    ],
    [
      table({ x: { type: { key: { type: 'uuid', refTable: 'U' } } } }),
      'column x key refers to undefined table U',
    ],
  ] as const)('%j', (json, message) => {
    expect(() => parseSchema(json)).toThrow(message)
  })
})

test('what a server writes of schemas is what its clients read, whichever they remember', () => {
  const named = (name: string) =>
    parseSchema({ name, version: '1.0.0', tables: { T: { columns: { c: { type: 'string' } } } } })
  const schemas = ['A', 'B', 'C', 'D', 'E'].map(named)
  const texts = schemas.map(schemaText)
  expect(schemaOfText(texts[4])).toBe(schemas[4])
  // It was forgotten, and is read.
  expect(schemaOfText(texts[0])).not.toBe(schemas[0])
  expect(texts.map(schemaOfText)).toEqual(schemas)
  expect(() => schemaOfText('{}')).toThrow(/name/)
})
