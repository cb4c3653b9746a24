import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { SchemaJson } from '../../../protocols/ovsdb/schemas/columns.ts'
import { LAB_SCHEMA } from '../../../protocols/ovsdb/schemas/lab.ts'
import { OPEN_VSWITCH } from '../../../protocols/ovsdb/schemas/open-vswitch.ts'

const INSTALLED = '/usr/share/openvswitch/vswitch.ovsschema'

/** RFC 7047 §3.2 lets one thing be written in several ways; this is one of them. */
function canonical(schema: SchemaJson) {
  const base = (type: unknown) => (typeof type === 'string' ? { type } : type)
  const column = ({ type, ...rest }: { type: unknown }) => {
    const {
      key,
      value,
      min = 1,
      max = 1,
    } = (typeof type === 'object' && type !== null && 'key' in type ? type : { key: type }) as {
      key: unknown
      value?: unknown
      min?: number
      max?: number | 'unlimited'
    }
    return { key: base(key), value: base(value), min, max, ...rest }
  }
  return Object.fromEntries(
    Object.entries(schema.tables).map(([name, { columns, ...table }]) => [
      name,
      {
        ...table,
        columns: Object.fromEntries(Object.entries(columns).map(([c, type]) => [c, column(type)])),
      },
    ]),
  )
}

describe('the schema of Open_vSwitch', () => {
  it('is that of Open vSwitch 3.1', () => {
    const theirs = JSON.parse(readFileSync(INSTALLED, 'utf8')) as SchemaJson
    expect(OPEN_VSWITCH.name).toBe(theirs.name)
    expect(OPEN_VSWITCH.version).toBe(theirs.version)
    expect(canonical(OPEN_VSWITCH)).toEqual(canonical(theirs))
  })

  it.each([OPEN_VSWITCH, LAB_SCHEMA])('$name refers to tables that are there', ({ tables }) => {
    const refs = [...JSON.stringify(tables).matchAll(/"refTable":"(\w+)"/g)].map(([, table]) => table!)
    expect(refs.filter((table) => !(table in tables))).toEqual([])
  })
})
