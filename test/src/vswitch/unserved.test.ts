import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { OPEN_VSWITCH } from '../../../protocols/ovsdb/schemas/open-vswitch.ts'
import { UNSERVED } from '../../../src/vswitch/unserved.ts'

test('what is not served is what the schema has and the documentation says', () => {
  const [, text] = /^## What is not served yet$(.*?)^## /ms.exec(readFileSync('docs/ovsdb.md', 'utf8'))!
  const rows = [...text!.matchAll(/^\| (\w[\w ()]*) \| (.+) \|$/gm)].filter(([, table]) => table !== 'table')
  expect(Object.fromEntries(rows.map(([, table, list]) => [table, list!.split(', ')]))).toEqual(UNSERVED)
  for (const [table, places] of Object.entries(UNSERVED)) {
    const columns = Object.keys(OPEN_VSWITCH.tables[table.split(' ')[0]!]!.columns)
    for (const place of places) expect(columns).toContain(place.split(':')[0])
  }
})
