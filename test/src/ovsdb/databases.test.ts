import { statSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { parseSchema } from '../../../protocols/ovsdb/schema.ts'
import { DatabaseFile } from '../../../src/ovsdb/database-file.ts'
import { Databases } from '../../../src/ovsdb/databases.ts'
import { OvsdbServer } from '../../../src/ovsdb/server.ts'
import { OvsdbDirectory } from '../../support/ovsdb.ts'
import { until } from '../../support/until.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const dir = new OvsdbDirectory()
afterAll(() => dir.remove())

const MINUTE = 60_000

test('a database that has grown is compacted by itself, but not before ten minutes, and any after a day', async () => {
  const clock = new VirtualClock()
  const path = dir.file('grown.db')
  const tables = { T: { isRoot: true, columns: { n: { type: 'integer' }, text: { type: 'string' } } } }
  DatabaseFile.create(path, parseSchema({ name: 'Grown', version: '1.0.0', tables }))
  let seed = 1
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed
  }
  const server = new OvsdbServer({ clock, random })
  const fail = (text: string) => {
    throw new Error(text)
  }
  const databases = new Databases({ server, clock, random: () => 0, log: { warn: fail, err: fail } })
  const served = databases.open(path)
  const text = 'x'.repeat(110_000)
  for (let n = 0; n < 100; n++) {
    served.execute([
      { op: 'insert', table: 'T', row: { n, text } },
      { op: 'delete', table: 'T', where: [['n', '<', n]] },
    ])
  }
  const grown = statSync(path).size
  expect(grown).toBeGreaterThan(10 * 2 ** 20)
  clock.advance(10 * MINUTE - 1)
  await new Promise((resolve) => setImmediate(resolve))
  expect(statSync(path).size).toBe(grown)
  clock.advance(1)
  await until(() => statSync(path).size < 200_000, 'it is compacted')
  served.execute([{ op: 'insert', table: 'T', row: { n: 100 } }])
  const before = dir.run('ovsdb-tool', 'show-log', path)
  expect(before).toContain('record 2:')
  clock.advance(24 * 60 * MINUTE)
  await until(() => !dir.run('ovsdb-tool', 'show-log', path).includes('record 2:'), 'it is compacted')
  await databases.close()
  expect(
    dir.run('ovsdb-tool', 'query', path, '["Grown",{"op":"select","table":"T","where":[],"columns":["n"]}]'),
  ).toContain('100')
})
